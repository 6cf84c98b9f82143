/* Filters with a name: those that come with the program, and those of the user. `${name}` in a filter stands for one. */

/** A filter that has a name: `${name}` in an expression stands for it. */
export interface SavedFilter {
  readonly name: string;
  readonly filter: string;
}

const SHIPPED: readonly SavedFilter[] = [
  { name: 'failures', filter: 'sip.Status-Code >= 400' },
  { name: 'registration', filter: 'sip.CSeq.method == "REGISTER"' },
  { name: 'calls', filter: 'sip.CSeq.method in {"INVITE", "ACK", "PRACK", "UPDATE", "CANCEL", "BYE"}' },
  { name: 'messages', filter: 'sip.CSeq.method in {"MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH"}' },
  { name: 'emergency', filter: 'sip.r-uri contains "urn:service:sos"' }, // RFC 5031 §4.2
  { name: 'addressing', filter: 'dhcp || dhcpv6 || icmpv6.type in {133..137}' },
  { name: 'media', filter: 'rtp || rtcp' },
  { name: 'dtmf', filter: 'rtpevent || sip.Content-Type contains "dtmf-relay"' },
  { name: 'envelopes', filter: 'fttims.unknown_type || fttims.resync' },
  { name: 'trouble', filter: 'tcp.analysis.flags' },
  { name: 'ends', filter: 'tls.alert_message || tcp.flags.fin == 1 || tcp.flags.reset == 1' },
  { name: 'findings', filter: 'finding.code' },
];

/** Names of those that come with the program. */
export const shippedNames = (): readonly string[] => SHIPPED.map((s) => s.name);

/** All of them, the user's first; one of the user's goes before one that came with the program. */
export const savedFilters = (own: readonly SavedFilter[]): readonly SavedFilter[] => [
  ...own,
  ...SHIPPED.filter((s) => !own.some((o) => o.name === s.name)),
];

/** A filter with what `${name}` stands for in it; names that nobody knows stay. */
export function expanded(text: string, own: readonly SavedFilter[]): string {
  const all = savedFilters(own);
  return text.replace(/\$\{([\w.-]+)\}/g, (asTyped, name: string) => {
    const found = all.find((f) => f.name === name);
    return found === undefined ? asTyped : text.trim() === asTyped ? found.filter : `(${found.filter})`;
  });
}
