/** An end of a tunnel as a process of its own, in whatever network it is started: its parent tells it what it is. */

import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { cidr, Eftf } from '../../src/live/eftf.js';
import { readLine, runStep } from '../../src/live/scenario.js';
import type { Certified } from '../../src/live/tls-certificate.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { Ue } from '../../src/live/ue.js';
import { ALICE, CALLS, EFTF, EFTF_NAME, PHONE, watch } from './endpoint-run.js';

/** What the parent says: be one of the two; or it is over. */
export type Told =
  | { readonly be: 'eftf'; readonly certificate: Certified }
  | { readonly be: 'ue'; readonly ca: string; readonly steps: readonly string[] }
  | { readonly be: 'gone' };
/** What it hears: the EFTF listens; an end is done, with the envelopes that it gave to TLS. */
export type Heard = 'ready' | { readonly sent: readonly Uint8Array[]; readonly keys: string };

const sent: Uint8Array[] = [];
const tell = (heard: Heard): void => void process.send!(heard);

async function beEftf(certificate: Certified): Promise<() => Promise<void>> {
  const eftf = new Eftf({
    certificate,
    versions: PROFILE,
    pool: cidr('10.45.0.0/24', 4),
    subscribers: [ALICE],
    tell: (words) => {
      if (words.startsWith('tunnel 1 established')) watch(eftf.tunnels.get(1)!.link, sent);
    },
  });
  await eftf.listen(EFTF.address, EFTF.port);
  tell('ready');
  return () => eftf.close();
}

async function beUe(ca: string, steps: readonly string[]): Promise<void> {
  let keys = '';
  const connect = { host: EFTF.address, port: EFTF.port, sni: EFTF_NAME, ca, versions: PROFILE, timeoutMs: 20_000 };
  const ue = new Ue({
    connect: { ...connect, onKey: (line) => void (keys += line.toString('latin1')) },
    families: [4],
    subscriber: ALICE,
    calls: CALLS,
    hardware: tunnelHardware(Uint8Array.from(PHONE.address.split('.'), Number)),
    tell: () => {},
  });
  await ue.connect();
  watch(ue.established!.link, sent);
  for (const line of steps) await runStep(readLine(line)!, ue);
  await ue.release();
  tell({ sent, keys });
}

let close = async (): Promise<void> => {};
process.on('message', async (told: Told) => {
  if (told.be === 'eftf') close = await beEftf(told.certificate);
  else if (told.be === 'ue') await beUe(told.ca, told.steps);
  else {
    await close();
    tell({ sent, keys: '' });
    process.disconnect();
  }
});
