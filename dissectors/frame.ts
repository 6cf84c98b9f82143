import { defineDissector, experts, type Field, fields, type Tree, type ValueStrings, View } from 'fttscope/kit';

/**
 * What the capture file says about a frame. Not octets of the frame: the engine calls it first and gives the layer the
 * link type names the octets.
 */

/** Wireshark's numbers of encapsulation types (frame.encap_type), by LINKTYPE of the tcpdump.org registry. */
const ENCAPSULATIONS: Readonly<Record<number, { number: number; name: string }>> = {
  0: { number: 15, name: 'NULL/Loopback' },
  1: { number: 1, name: 'Ethernet' },
  6: { number: 2, name: 'Token Ring' },
  7: { number: 8, name: 'ARCNET' },
  8: { number: 3, name: 'SLIP' },
  9: { number: 4, name: 'PPP' },
  10: { number: 6, name: 'FDDI with bit-swapped MAC addresses' },
  12: { number: 7, name: 'Raw IP' },
  14: { number: 7, name: 'Raw IP' },
  50: { number: 4, name: 'PPP' },
  51: { number: 139, name: 'PPP-over-Ethernet session' },
  99: { number: 61, name: 'Symantec Enterprise Firewall' },
  101: { number: 7, name: 'Raw IP' },
  104: { number: 28, name: 'Cisco HDLC' },
  105: { number: 20, name: 'IEEE 802.11 Wireless LAN' },
  106: { number: 11, name: 'Linux ATM CLIP' },
  107: { number: 26, name: 'Frame Relay' },
  108: { number: 174, name: 'OpenBSD loopback' },
  109: { number: 38, name: 'OpenBSD enc(4) encapsulating interface' },
  113: { number: 25, name: 'Linux cooked-mode capture v1' },
  117: { number: 39, name: 'OpenBSD PF Firewall logs' },
  119: { number: 21, name: 'IEEE 802.11 plus Prism II monitor mode radio header' },
  123: { number: 13, name: 'ATM PDUs' },
  127: { number: 23, name: 'IEEE 802.11 plus radiotap radio header' },
  129: { number: 9, name: 'Linux ARCNET' },
  137: { number: 67, name: 'Juniper ATM1' },
  149: { number: 47, name: 'USER 2' },
  163: { number: 24, name: 'IEEE 802.11 plus AVS radio header' },
  178: { number: 83, name: 'Juniper Ethernet' },
  179: { number: 84, name: 'Juniper PPP' },
  180: { number: 85, name: 'Juniper Frame-Relay' },
  181: { number: 86, name: 'Juniper C-HDLC' },
  189: { number: 95, name: 'USB packets with Linux header' },
  192: { number: 97, name: 'Per-Packet Information header' },
  195: { number: 104, name: 'IEEE 802.15.4 Wireless PAN' },
  197: { number: 98, name: 'Extensible Record Format' },
  204: { number: 19, name: 'PPP with Directional Info' },
  220: { number: 115, name: 'USB packets with Linux header and padding' },
  226: { number: 124, name: 'Solaris IPNET' },
  227: { number: 125, name: 'SocketCAN' },
  228: { number: 129, name: 'Raw IPv4' },
  229: { number: 130, name: 'Raw IPv6' },
  230: { number: 127, name: 'IEEE 802.15.4 Wireless PAN with FCS not present' },
  231: { number: 146, name: 'D-Bus' },
  239: { number: 141, name: 'NFLOG' },
  242: { number: 180, name: 'IP over IB' },
  249: { number: 152, name: 'USB packets with USBPcap header' },
  252: { number: 155, name: 'Wireshark Upper PDU export' },
  253: { number: 158, name: 'Linux Netlink' },
  254: { number: 159, name: 'Bluetooth Linux Monitor' },
  258: { number: 171, name: 'Apple PKTAP' },
  271: { number: 185, name: 'Linux vsock' },
  276: { number: 210, name: 'Linux cooked-mode capture v2' },
  283: { number: 206, name: 'IEEE 802.15.4 Wireless with TAP pseudo-header' },
};

/** What a LINKTYPE is called; undefined where it is not known. */
export const encapsulationName = (link: number): string | undefined => ENCAPSULATIONS[link]?.name;

/** Whether a program that changes a capture may copy a Custom Block. */
const COPYING: ValueStrings = { 0: 'Not Allowed', 1: 'Allowed' };

const F = fields({
  frame: { name: 'frame', label: 'Frame', type: 'protocol' },
  encapsulation: { name: 'frame.encap_type', label: 'Encapsulation type', type: 'i16' },
  interfaceId: { name: 'frame.interface_id', label: 'Interface id', type: 'u32' },
  interfaceName: { name: 'frame.interface_name', label: 'Interface name', type: 'string' },
  interfaceDescription: { name: 'frame.interface_description', label: 'Interface description', type: 'string' },
  time: { name: 'frame.time', label: 'Arrival Time', type: 'time' },
  epoch: { name: 'frame.time_epoch', label: 'Epoch Time', type: 'time' },
  delta: {
    name: 'frame.time_delta',
    label: 'Time delta from previous captured frame',
    type: 'duration',
    unit: 'seconds',
  },
  relative: {
    name: 'frame.time_relative',
    label: 'Time since reference or first frame',
    type: 'duration',
    unit: 'seconds',
  },
  number: { name: 'frame.number', label: 'Frame Number', type: 'u32' },
  length: { name: 'frame.len', label: 'Frame Length', type: 'u32', unit: 'octets', aliases: ['frame.pkt_len'] },
  captured: { name: 'frame.cap_len', label: 'Capture Length', type: 'u32', unit: 'octets' },
  protocols: { name: 'frame.protocols', label: 'Protocols in frame', type: 'string' },
  customPen: { name: 'frame.cb_pen', label: 'Private Enterprise Number', type: 'u32' },
  customCopy: { name: 'frame.cb_copy', label: 'Copying', type: 'bool', values: COPYING },
  comment: { name: 'frame.comment', label: 'Comment', type: 'string' },
  duplicate: { name: 'frame.duplicate', label: 'Captured twice: the same as frame', type: 'frame' },
});

const E = experts({
  comment: { code: 'frame.comment', severity: 'chat', message: 'Comment' },
});

/** What the reader knows about a frame. */
export interface FrameNote {
  readonly link: number;
  readonly interfaceId?: number | undefined;
  readonly interfaceName?: string | undefined;
  readonly interfaceDescription?: string | undefined;
  readonly comments?: readonly string[] | undefined;
  /** Seconds and nanoseconds since the first and since the previous frame. */
  readonly relative: readonly [number, number];
  readonly delta: readonly [number, number];
  /** What the frame is instead of a packet: a Custom Block, of whose enterprise, and whether it may be copied. */
  readonly customBlock?: { readonly pen: number | undefined; readonly copied: boolean } | undefined;
  /** Frame that it repeats, captured a second time at another interface or by a mirror port. */
  readonly duplicateOf?: number | undefined;
}

/** Number and time of a frame. */
interface Head {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
}

function addTimes(v: View, t: Tree, { seconds, nanos }: Head): void {
  t.time(F.time, v.off, 0, seconds, nanos);
  t.time(F.epoch, v.off, 0, seconds, nanos);
}

function addNumbers(v: View, t: Tree, { frame }: Head): void {
  t.num(F.number, v.off, 0, frame);
  t.num(F.length, v.off, 0, v.wireLength);
  t.num(F.captured, v.off, 0, v.length);
}

/** The fields that {@link addHead} adds. */
export const HEAD_FIELDS: ReadonlySet<Field> = new Set([F.time, F.epoch, F.number, F.length, F.captured]);

/** Adds what is known of a frame without its file and the frames before it. */
export function addHead(v: View, t: Tree, head: Head): void {
  addTimes(v, t, head);
  addNumbers(v, t, head);
}

/** A Custom Block has no time, no interface and no encapsulation (draft-ietf-opsawg-pcapng §4.8). */
function addCustomBlock(
  v: View,
  t: Tree,
  number: number,
  { pen, copied }: NonNullable<FrameNote['customBlock']>,
): void {
  if (t.labels) t.label(`PCAPNG Custom Block ${number}: ${v.length} octets of custom data and options`);
  t.num(F.number, v.off, 0, number);
  t.num(F.length, v.off, 0, v.wireLength);
  t.num(F.captured, v.off, 0, v.length);
  if (pen !== undefined) t.num(F.customPen, v.off, 0, pen);
  t.num(F.customCopy, v.off, 0, copied ? 1 : 0);
  t.text(F.protocols, v.off, 0, '');
}

export const frame = defineDissector({
  proto: 'frame',
  title: 'Frame',
  short: 'Frame',
  spec: 'none',
  fields: F,
  experts: E,
  tables: ['link'],

  dissect(v, t, cx) {
    const note = cx.note<FrameNote>(frame, v);
    if (note === undefined) return;
    t.open(F.frame, v.off, v.length);
    if (note.customBlock !== undefined) {
      addCustomBlock(v, t, cx.frame, note.customBlock);
      t.pop();
      cx.next('link', note.link, v);
      return;
    }
    if (t.labels) t.label(`Frame ${cx.frame}: ${v.wireLength} octets on wire, ${v.length} octets captured`);
    for (const comment of note.comments ?? []) {
      t.text(F.comment, v.off, 0, comment);
      t.expert(E.comment, comment);
    }
    const encapsulation = ENCAPSULATIONS[note.link];
    t.num(F.encapsulation, v.off, 0, encapsulation?.number ?? 0);
    if (t.labels) t.label(`Encapsulation type: ${encapsulation?.name ?? `link type ${note.link}`}`);
    if (note.interfaceId !== undefined) t.num(F.interfaceId, v.off, 0, note.interfaceId);
    if (note.interfaceName !== undefined) t.text(F.interfaceName, v.off, 0, note.interfaceName);
    if (note.interfaceDescription !== undefined) t.text(F.interfaceDescription, v.off, 0, note.interfaceDescription);
    addTimes(v, t, cx);
    if (t.wanted(F.delta)) t.time(F.delta, v.off, 0, note.delta[0], note.delta[1]);
    if (t.wanted(F.relative)) t.time(F.relative, v.off, 0, note.relative[0], note.relative[1]);
    addNumbers(v, t, cx);
    t.text(F.protocols, v.off, 0, '');
    if (note.duplicateOf !== undefined) t.num(F.duplicate, v.off, 0, note.duplicateOf);
    t.pop();
    cx.next('link', note.link, v.wireEnd < v.end ? new View(v.source, v.off, v.end) : v);
  },

  column(v, cx): string {
    return cx.note<FrameNote>(frame, v)?.customBlock === undefined ? 'Frame' : 'PCAPNG';
  },

  summary(v, cx): string {
    const note: FrameNote | undefined = cx.note<FrameNote>(frame, v);
    if (note?.customBlock !== undefined) {
      const { pen, copied } = note.customBlock;
      return `Custom Block${pen === undefined ? '' : `: PEN = ${pen}`}, will${copied ? '' : ' not'} be copied`;
    }
    const link = note?.link;
    if (link === undefined || cx.takes('link', link)) return '';
    return `Link type ${link}${ENCAPSULATIONS[link] === undefined ? '' : ` (${ENCAPSULATIONS[link].name})`} is not dissected`;
  },
});

/** The field that lists the protocol stack; its text is known when the packet is dissected to its end. */
export const PROTOCOLS = F.protocols;
