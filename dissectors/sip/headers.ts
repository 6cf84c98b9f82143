import { type Field, find, isSpace, skipSpace, type Tree } from 'fttscope/kit';
import { textItem } from '../text-media.js';
import { findOutside, ListAhead, type Parameter, parameter, parseAddress, quotedEnd, showAddress } from './address.js';
import { authenticationHeader } from './auth.js';
import { ADDRESS, type AddressFields, E, F } from './fields.js';
import { decimal, isDigit, isToken, trimEnd, wholeNumber } from './message.js';
import { equalsName, HEADERS, Header } from './names.js';

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const SLASH = 47;
const COLON = 58;
const SEMICOLON = 59;
const BRACKET = 91;

/** Adds what stands below the node of a header, whose value is `[off, end)`. */
export type HeaderDissector = (t: Tree, b: Uint8Array, off: number, end: number) => void;

/** Calls `each` for the parameters in `[off, end)`, which stand between semicolons. */
function eachParameter(b: Uint8Array, off: number, end: number, each: (p: Parameter) => void): void {
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, SEMICOLON);
    const p = parameter(b, i, stop);
    if (p.end > p.off) each(p);
    i = stop + 1;
  }
}

/** A parameter whose value has a field, or one that has none. */
function valueOrItem(t: Tree, b: Uint8Array, p: Parameter, f: Field | undefined): void {
  if (f === undefined) textItem(t, b, p.off, p.end);
  else t.text(f, p.valueOff, p.end - p.valueOff);
}

const isNamed = (b: Uint8Array, p: Parameter, name: string): boolean => equalsName(b, p.off, p.nameEnd, name);

/** The field that a table gives to the parameter's name. */
function fieldOf(b: Uint8Array, p: Parameter, table: readonly (readonly [string, Field])[]): Field | undefined {
  for (const [name, f] of table) if (isNamed(b, p, name)) return f;
  return undefined;
}

/** From and To: an address and its tag. RFC 3261 §20.20, §20.39. */
function party(f: AddressFields, tag: Field): HeaderDissector {
  return (t, b, off, end) => {
    const a = parseAddress(b, off, end);
    if (a !== undefined) showAddress(t, b, a, f);
    const params = findOutside(b, a?.end ?? off, end, SEMICOLON);
    eachParameter(b, params + 1, end, (p) => {
      if (!isNamed(b, p, 'tag')) return;
      t.text(tag, p.valueOff, p.end - p.valueOff);
      t.text(F.tag, p.valueOff, p.end - p.valueOff);
    });
  };
}

/** A list of addresses, each with parameters of its own that `each` may show. */
function addresses(
  f: AddressFields,
  each?: (t: Tree, b: Uint8Array, off: number, end: number) => void,
): HeaderDissector {
  return (t, b, off, end) => {
    const ahead = new ListAhead(b, off, end);
    for (let i = off; i < end; ) {
      const a = parseAddress(b, i, end, ahead);
      if (a !== undefined) showAddress(t, b, a, f);
      const stop = findOutside(b, a?.end ?? i, end, COMMA);
      if (a !== undefined && each !== undefined) each(t, b, findOutside(b, a.end, stop, SEMICOLON) + 1, stop);
      i = stop + 1;
    }
  };
}

function contactParameters(t: Tree, b: Uint8Array, off: number, end: number): void {
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, SEMICOLON);
    if (stop > i) t.text(F.contactParameter, i, stop - i);
    i = stop + 1;
  }
}

function consentParameters(t: Tree, b: Uint8Array, off: number, end: number): void {
  eachParameter(b, off, end, (p) => {
    if (!isNamed(b, p, 'target-uri')) return;
    const quoted = b[p.valueOff] === QUOTE && p.end - p.valueOff >= 2;
    t.text(F.consentTarget, p.valueOff + (quoted ? 1 : 0), p.end - p.valueOff - (quoted ? 2 : 0)); // RFC 5360 §5.11.2
  });
}

/** Sequence number and method. RFC 3261 §20.16. */
const cseq: HeaderDissector = (t, b, off, end) => {
  let i = off;
  while (i < end && isDigit(b[i])) i++;
  t.num(F.cseqNumber, off, i - off, decimal(b, off, i));
  const method = skipSpace(b, i, end);
  if (i === off || method === i || method === end) return t.expert(E.badCseq);
  t.text(F.cseqMethod, method, trimEnd(b, method, end) - method);
};

/** RSeq of the response, CSeq number and method of the request. RFC 3262 §7.2. */
const rack: HeaderDissector = (t, b, off, end) => {
  let i = off;
  for (const f of [F.rackRseq, F.rackCseq]) {
    const at = i;
    while (i < end && isDigit(b[i])) i++;
    if (i === at) return;
    t.num(f, at, i - at, decimal(b, at, i));
    i = skipSpace(b, i, end);
  }
  if (i < end) t.text(F.rackMethod, i, trimEnd(b, i, end) - i);
};

const VIA_PARAMETERS: readonly (readonly [string, Field])[] = [
  ['branch', F.viaBranch],
  ['maddr', F.viaMaddr],
  ['rport', F.viaRport],
  ['received', F.viaReceived],
  ['ttl', F.viaTtl],
  ['comp', F.viaComp],
  ['sigcomp-id', F.viaSigcompId],
  ['oc', F.viaOc],
  ['oc-validity', F.viaOcValidity],
  ['oc-seq', F.viaOcSeq],
  ['oc-algo', F.viaOcAlgo],
  ['be-route', F.viaBeRoute],
];

/** `SIP / 2.0 / UDP host : port ; parameters`, one after each comma. RFC 3261 §20.42. */
const via: HeaderDissector = (t, b, off, end) => {
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, COMMA);
    oneVia(t, b, i, stop);
    i = stop + 1;
  }
};

function oneVia(t: Tree, b: Uint8Array, off: number, end: number): void {
  let i = off;
  for (let slashes = 0; slashes < 2; slashes++) i = find(b, SLASH, i, end) + 1;
  const transport = skipSpace(b, i, end);
  i = transport;
  while (i < end && isToken(b[i])) i++;
  if (i === transport || transport >= end) return;
  t.text(F.viaTransport, transport, i - transport);
  i = sentBy(t, b, skipSpace(b, i, end), end);
  eachParameter(b, findOutside(b, i, end, SEMICOLON) + 1, end, (p) => viaParameter(t, b, p));
}

/** Host (without the brackets of an IPv6 address) and port; returns the offset after them. */
function sentBy(t: Tree, b: Uint8Array, off: number, end: number): number {
  let i = off;
  if (i < end && b[i] === BRACKET) {
    i = find(b, 93, i, end);
    t.text(F.viaAddress, off + 1, i - off - 1);
    i++;
  } else {
    while (i < end && b[i] !== COLON && b[i] !== SEMICOLON && !isSpace(b[i])) i++;
    if (i > off || (i < end && b[i] === COLON)) t.text(F.viaAddress, off, i - off);
  }
  i = skipSpace(b, i, end);
  if (i >= end || b[i] !== COLON) return Math.min(i, end);
  const port = skipSpace(b, i + 1, end);
  i = port;
  while (i < end && isDigit(b[i])) i++;
  if (i > port) {
    const n = wholeNumber(b, port, i);
    t.num(F.viaPort, port, i - port, n < 0 || n > 0xffff ? 0xffff : n);
    if (n < 0 || n > 0xffff) t.expert(E.badViaPort);
  }
  return i;
}

function viaParameter(t: Tree, b: Uint8Array, p: Parameter): void {
  const f = fieldOf(b, p, VIA_PARAMETERS);
  const bare = p.valueOff === p.nameEnd && p.end === p.nameEnd;
  if (f === undefined) {
    textItem(t, b, p.off, p.end);
    return;
  }
  const at = bare ? p.off : p.valueOff; // RFC 3581 §3: a request's rport has no value
  t.text(f, at, p.end - at);
  if (bare) return;
  if (f === F.viaOc) t.num(F.viaOcValue, p.valueOff, p.end - p.valueOff, decimal(b, p.valueOff, p.end));
  if (f === F.viaOcSeq) overloadTime(t, b, p);
}

/** `oc-seq`: seconds since the epoch, a dot, and a fraction that Wireshark takes for microseconds. RFC 7339 §4.4. */
function overloadTime(t: Tree, b: Uint8Array, p: Parameter): void {
  let dot = p.valueOff;
  while (dot < p.end && isDigit(b[dot])) dot++;
  if (dot === p.valueOff) return;
  const micros = dot < p.end ? decimal(b, dot + 1, p.end) : 0;
  t.time(F.viaOcTime, p.valueOff, p.end - p.valueOff, decimal(b, p.valueOff, dot), (micros % 1_000_000) * 1000);
}

/** Protocol, cause and text of each reason. RFC 3326. */
const reason: HeaderDissector = (t, b, off, end) => {
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, COMMA);
    oneReason(t, b, skipSpace(b, i, stop), stop);
    i = stop + 1;
  }
};

function oneReason(t: Tree, b: Uint8Array, off: number, end: number): void {
  const semicolon = findOutside(b, off, end, SEMICOLON);
  const stop = trimEnd(b, off, semicolon);
  if (stop === off) return;
  t.text(F.reasonProtocol, off, stop - off);
  const f = equalsName(b, off, stop, 'q.850')
    ? F.reasonQ850
    : equalsName(b, off, stop, 'sip')
      ? F.reasonSip
      : F.reasonOther;
  eachParameter(b, semicolon + 1, end, (p) => {
    if (isNamed(b, p, 'cause')) t.num(f, p.valueOff, p.end - p.valueOff, decimal(b, p.valueOff, p.end));
    else if (isNamed(b, p, 'text')) {
      const quoted = b[p.valueOff] === QUOTE && quotedEnd(b, p.valueOff, p.end) === p.end && p.end - p.valueOff >= 2;
      t.text(F.reasonText, p.valueOff + (quoted ? 1 : 0), p.end - p.valueOff - (quoted ? 2 : 0));
    } else textItem(t, b, p.off, p.end);
  });
}

const MECHANISM_TEXTS: readonly (readonly [string, Field])[] = [
  ['alg', F.mechanismAlg],
  ['ealg', F.mechanismEalg],
  ['prot', F.mechanismProt],
];
const MECHANISM_NUMBERS: readonly (readonly [string, Field])[] = [
  ['spi-c', F.mechanismSpiC],
  ['spi-s', F.mechanismSpiS],
  ['port1', F.mechanismPort1],
  ['port-c', F.mechanismPortC],
  ['port2', F.mechanismPort2],
  ['port-s', F.mechanismPortS],
];

/** Security-Client, -Server, -Verify: mechanisms with parameters. RFC 3329 §2.2, TS 33.203 annex H. */
const mechanisms: HeaderDissector = (t, b, off, end) => {
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, COMMA);
    const at = skipSpace(b, i, stop);
    const semicolon = findOutside(b, at, stop, SEMICOLON);
    const nameEnd = trimEnd(b, at, semicolon);
    if (nameEnd === at) return t.expert(E.badMechanism);
    t.text(F.mechanism, at, nameEnd - at);
    t.push();
    eachParameter(b, semicolon + 1, stop, (p) => {
      const number = fieldOf(b, p, MECHANISM_NUMBERS);
      if (number === undefined) valueOrItem(t, b, p, fieldOf(b, p, MECHANISM_TEXTS));
      else t.num(number, p.valueOff, p.end - p.valueOff, Math.max(0, wholeNumber(b, p.valueOff, p.end)));
    });
    t.pop();
    i = stop + 1;
  }
};

/** Access type and its parameters. RFC 7315 §4.4, TS 24.229 §7.2A.4. */
const accessNetwork: HeaderDissector = (t, b, off, end) => {
  const semicolon = findOutside(b, off, end, SEMICOLON);
  if (semicolon === end) return;
  t.text(F.accessType, off, trimEnd(b, off, semicolon) - off);
  eachParameter(b, semicolon + 1, end, (p) =>
    valueOrItem(t, b, p, isNamed(b, p, 'utran-cell-id-3gpp') ? F.utranCell : undefined),
  );
};

/** RFC 7315 §4.6. */
const chargingVector: HeaderDissector = (t, b, off, end) =>
  eachParameter(b, off, end, (p) =>
    valueOrItem(
      t,
      b,
      p,
      isNamed(b, p, 'icid-value') ? F.icidValue : isNamed(b, p, 'icid-gen-addr') ? F.icidGenerated : undefined,
    ),
  );

const parameterItems: HeaderDissector = (t, b, off, end) =>
  eachParameter(b, off, end, (p) => textItem(t, b, p.off, p.end));

const listItems: HeaderDissector = (t, b, off, end) => {
  if (!t.labels) return;
  for (let i = off; i < end; ) {
    const stop = findOutside(b, i, end, COMMA);
    const at = skipSpace(b, i, stop);
    if (stop > at) textItem(t, b, at, trimEnd(b, at, stop));
    i = stop + 1;
  }
};

/** Capability indicators, without the `+` that each begins with. RFC 6809 §6.3. */
const featureCaps: HeaderDissector = (t, b, off, end) =>
  eachParameter(b, off, end, (p) => {
    const at = b[p.off] === PLUS ? p.off + 1 : p.off;
    t.text(F.featureCap, at, p.end - at);
  });

const hexDigit = (c: number): number =>
  isDigit(c) ? c - 48 : (c | 0x20) >= 97 && (c | 0x20) <= 102 ? (c | 0x20) - 87 : -1;

/** The octets that hexadecimal text stands for; undefined where it is none. */
function fromHex(b: Uint8Array, off: number, end: number): Uint8Array | undefined {
  if ((end - off) % 2 !== 0) return undefined;
  const out = new Uint8Array((end - off) / 2);
  for (let i = 0; i < out.length; i++) {
    const n = hexDigit(b[off + 2 * i]) * 16 + hexDigit(b[off + 2 * i + 1]);
    if (hexDigit(b[off + 2 * i]) < 0 || hexDigit(b[off + 2 * i + 1]) < 0) return undefined;
    out[i] = n;
  }
  return out;
}

/** The sender's half of the identifier and, as a parameter, the other's. RFC 7989 §5. */
const sessionId: HeaderDissector = (t, b, off, end) => {
  const semicolon = findOutside(b, off, end, SEMICOLON);
  const stop = trimEnd(b, off, semicolon);
  const local = fromHex(b, off, stop);
  t.bytes(F.sessionId, off, stop - off, local ?? new Uint8Array(0));
  if (stop === off) t.expert(E.emptySessionId);
  eachParameter(b, semicolon + 1, end, (p) => {
    const remote = isNamed(b, p, 'remote') ? fromHex(b, p.valueOff, p.end) : undefined;
    if (remote?.length === 16 && local?.length === 16) {
      t.bytes(F.sessionLocal, off, stop - off, local);
      t.bytes(F.sessionRemote, p.valueOff, p.end - p.valueOff, remote);
    } else if (isNamed(b, p, 'logme')) t.num(F.sessionLogme, p.off, p.end - p.off, 1);
    else t.text(F.sessionParam, p.off, p.end - p.off);
  });
};

const retryAfter: HeaderDissector = (t, b, off, end) => {
  let i = off;
  while (i < end && isDigit(b[i])) i++;
  if (i === off) t.expert(E.badRetryAfter);
};

const TABLE: Readonly<Record<number, HeaderDissector>> = {
  [Header.AuthenticationInfo]: authenticationHeader(false),
  [Header.Authorization]: authenticationHeader(true),
  [Header.Contact]: addresses(ADDRESS.contact, contactParameters),
  [Header.CSeq]: cseq,
  [Header.FeatureCaps]: featureCaps,
  [Header.From]: party(ADDRESS.from, F.fromTag),
  [Header.HistoryInfo]: listItems,
  [Header.PAccessNetworkInfo]: accessNetwork,
  [Header.PAssertedIdentity]: addresses(ADDRESS.asserted),
  [Header.PAssociatedUri]: listItems,
  [Header.PChargingFunctionAddresses]: parameterItems,
  [Header.PChargingVector]: chargingVector,
  [Header.PPreferredIdentity]: addresses(ADDRESS.preferred),
  [Header.Path]: addresses(ADDRESS.path),
  [Header.PermissionMissing]: addresses(ADDRESS.permissionMissing),
  [Header.ProxyAuthenticate]: authenticationHeader(true),
  [Header.ProxyAuthorization]: authenticationHeader(true),
  [Header.RAck]: rack,
  [Header.Reason]: reason,
  [Header.RecordRoute]: addresses(ADDRESS.recordRoute),
  [Header.RetryAfter]: retryAfter,
  [Header.Route]: addresses(ADDRESS.route),
  [Header.SecurityClient]: mechanisms,
  [Header.SecurityServer]: mechanisms,
  [Header.SecurityVerify]: mechanisms,
  [Header.ServiceRoute]: addresses(ADDRESS.serviceRoute),
  [Header.SessionId]: sessionId,
  [Header.To]: party(ADDRESS.to, F.toTag),
  [Header.TriggerConsent]: addresses(ADDRESS.triggerConsent, consentParameters),
  [Header.Via]: via,
  [Header.WwwAuthenticate]: authenticationHeader(true),
};

/** By header id: what shows the parts of the value; undefined where the value has none. */
export const HEADER_DISSECTOR: readonly (HeaderDissector | undefined)[] = HEADERS.map((_, id) => TABLE[id]);
