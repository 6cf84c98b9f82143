import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Json, reportOn } from '../model/support.js';
import { CORPUS, corpusMissing, publicCaptures } from '../support/corpus.js';
import { tshark, tsharkMissing } from '../support/tshark.js';
import { run } from './run.js';

/** Captures in which somebody calls, or speaks. */
const captures = (): string[] =>
  publicCaptures()
    .filter((c) => c.protocols.some((p) => p === 'sip' || p === 'rtp'))
    .map((c) => c.file);
/** sngrep does not look into GTP, nor at a message that is longer than its buffer. */
const HIDDEN = /gtp-iphone\.pcap$|sip-body-large/;
const SNGREP = spawnSync('sngrep', ['-V']).status === 0;

/** A line of `rtp,streams`: times from the first frame, ends, SSRC, packets, lost, then mean and maximal jitter. */
const STREAM =
  /^\s*([\d.]+)\s+([\d.]+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x(\w+)\s+.*?\s+(\d+)\s+(-?\d+) \([-\d.]+%\)(?:\s+[\d.]+){3}\s+(-?[\d.]+)\s+([\d.]+)\s+([\d.]+)/gm;

/** Streams that nobody announced are guesses; of fewer packets nothing is claimed. */
const GUESSED = 8;
const isAnnounced = (told: Json, ssrc: string): boolean =>
  told.media.some((m: Json) => m.ssrc.slice(2) === ssrc.toLowerCase() && m.negotiated !== undefined);

/** Dialogs that sngrep counts; `calls`: those that begin with INVITE. */
function dialogs(path: string, calls: boolean): number {
  const ran = spawnSync('sngrep', [...(calls ? ['-c'] : []), '-N', '-I', path], { encoding: 'utf8', input: '' });
  return Number([...ran.stdout.matchAll(/Dialog count: (\d+)/g)].pop()?.[1]);
}

/** Call-IDs whose first message may begin a dialog: sngrep counts no others. Messages that have none are one dialog. */
function begun(path: string): number {
  const fields = ['-e', 'sip.Call-ID', '-e', 'sip.Method'];
  const lines = run(['read', path, '-Y', 'sip', '-T', 'fields', ...fields, '-E', 'occurrence=f', '-q']).out;
  const first = new Map<string, string>();
  for (const [id = '', method = ''] of lines
    .trimEnd()
    .split('\n')
    .map((l) => l.split('\t')))
    if (!first.has(id)) first.set(id, method);
  return [...first.values()].filter((m) => !/^(?:ACK|BYE|CANCEL|PRACK|)$/.test(m)).length;
}

const skip = corpusMissing('public') || tsharkMissing;

describe('calls and streams outside of tunnels are as many as others count', { skip }, () => {
  for (const name of skip === false ? captures() : [])
    test(name, async () => {
      const path = join(CORPUS, 'public', name);
      const told = await reportOn(readFileSync(path));
      const asked = ['-Y', 'sip.Method == "INVITE"', '-T', 'fields', '-e', 'sip.Call-ID', '-z', 'rtp,streams'];
      const lines = await tshark(['-r', path, '--enable-heuristic', 'rtp_udp', ...asked]);
      const [list, table] = lines.split(/^=+ RTP Streams =+$/m);
      const ids = new Set(list!.split(/[\n,]/).filter((id) => id !== ''));
      assert.equal(told.calls.length, ids.size, 'calls as tshark counts them');
      if (SNGREP && !HIDDEN.test(name)) {
        assert.equal(told.calls.length, dialogs(path, true), 'calls as sngrep counts them');
        assert.equal(begun(path), dialogs(path, false), 'dialogs as sngrep counts them');
      }
      const listed = [...table!.matchAll(STREAM)].filter((m) => Number(m[8]) >= GUESSED || isAnnounced(told, m[7]!));
      const expected = listed.map((m) => {
        const [from, to, ...rest] = m.slice(1);
        const [least, ...jitter] = rest.splice(-3);
        rest.push(...(least === '-1.000' ? ['-', '-'] : jitter)); // tshark has none of events, and of clocks it does not know
        const ms = ((Number(to) - Number(from)) * 1000).toFixed(2);
        return `${rest.map((x) => x.toLowerCase()).join(' ')} ${ms}`;
      });
      const streams = told.media.map((m: Json) => {
        const { source: s, destination: d, jitterMs: j, start, end } = m;
        const jitter = j === undefined ? '- -' : `${j.mean.toFixed(3)} ${j.max.toFixed(3)}`;
        const ms = ((Number(end.epoch) - Number(start.epoch)) * 1000).toFixed(2);
        const ends = `${s.address} ${s.port} ${d.address} ${d.port}`;
        return `${ends} ${m.ssrc.slice(2)} ${m.packets} ${m.lost - m.duplicates} ${jitter} ${ms}`;
      });
      assert.deepEqual(streams.sort(), expected.sort(), 'streams as tshark counts them');
    });
});
