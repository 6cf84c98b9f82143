/** Checks of key logs, filters, and functions that read text. */

import { dissectors } from '../../dissectors/index.js';
import { parseAddress, parseSip, parseUri, sipLength } from '../../dissectors/sip/index.js';
import { Dissection, engineFields } from '../../src/engine/dissect.js';
import { Registry } from '../../src/engine/registry.js';
import { compile, FilterError } from '../../src/filter/index.js';
import { Malformed, Short } from '../../src/kit/index.js';
import { KeyLog } from '../../src/tls/index.js';
import { ROW_SECONDS, spent } from './check-rows.js';
import { Finding, type Input } from './input.js';

const registry = new Registry(dissectors, engineFields);
const empty = new Dissection(registry, registry.wants(null), true);

const latin1 = (b: Uint8Array): string => Buffer.from(b).toString('latin1');

function keyLog(text: string): void {
  const keys = new KeyLog();
  keys.add(text, 'option');
  keys.add(text, 'dsb');
  if (keys.length < 0 || keys.bad < 0) throw new Finding('keylog count', `${keys.length} lines`);
}

function filter(text: string): void {
  try {
    compile(text, registry).matches(empty);
  } catch (e) {
    if (!(e instanceof FilterError)) throw e;
  }
}

function sipText(b: Uint8Array): void {
  sipLength(b, 0, b.length);
  for (const f of [parseSip, parseAddress, parseUri])
    try {
      f(b, 0, b.length);
    } catch (e) {
      if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
    }
}

/** Key logs, filters and texts. */
export function checkText(o: Input): void {
  const before = spent();
  for (const part of o.parts)
    if (o.kind === 'keylog') keyLog(latin1(part));
    else if (o.kind === 'filter') filter(latin1(part));
    else sipText(part);
  const seconds = spent() - before;
  if (seconds > ROW_SECONDS) throw new Finding(`slow ${o.kind}`, `${seconds} s`);
}
