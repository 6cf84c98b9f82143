import type { MediaEntity } from '../model/entities.js';
import { lossOf } from '../model/quality.js';
import { codecOf } from '../report/report-words.js';
import { count, duration, octets, placeText, plural, trimmed } from './words.js';

/** `down 10.9.0.1:50000 → 10.9.0.50:49152, AMR-WB, 97 packets, 3 lost (3 %), jitter 1.2 ms, MOS 4.1 (estimate)`. */
export function mediaLine(m: MediaEntity): string {
  const jitter = m.jitterMs === undefined ? '' : `, jitter ${duration(m.jitterMs.mean)}`;
  const mos = m.mos === undefined ? '' : `, MOS ${trimmed(m.mos.value, 1)} (estimate)`;
  const loss = lossOf(m);
  const lost = loss.lost === 0 ? 'none lost' : `${count(loss.lost)} lost (${trimmed(loss.percent, 1)} %)`;
  const way = m.direction === undefined ? '' : `${m.direction} `;
  return `${way}${placeText(m.source)} → ${placeText(m.destination)}, ${codecOf(m)}, ${plural(m.packets, 'packet')}, ${lost}${jitter}${mos}`;
}

/** All that is known of a stream, a line each. */
export function mediaInfo(m: MediaEntity): string[] {
  const lines = [
    mediaLine(m),
    '',
    `SSRC: ${m.ssrc}`,
    `Payload type: ${m.payloadType}${m.codec === undefined ? '' : ` ${m.codec}`}`,
  ];
  if (m.negotiated === undefined) lines.push('Negotiated: no session description names it');
  else
    lines.push(
      `Negotiated: ${m.negotiated.kind}: ${m.negotiated.codecs.map((c) => `${c.name}/${c.clock}`).join(', ')}`,
    );
  lines.push(`Packets: ${count(m.packets)}, ${octets(m.bytes)}`);
  const { lost, percent } = lossOf(m);
  lines.push(
    `Lost: ${lost} (${trimmed(percent, 2)} %), ${plural(m.bursts.count, 'burst')}, the longest ${m.bursts.longest}`,
  );
  if (m.skipped !== undefined)
    lines.push(`Skipped: ${plural(m.skipped, 'number')} while the session had no such medium, as on hold: no loss`);
  lines.push(`Out of order: ${m.reordered}, twice: ${m.duplicates}`);
  if (m.jitterMs !== undefined)
    lines.push(`Jitter: mean ${duration(m.jitterMs.mean)}, at most ${duration(m.jitterMs.max)} (RFC 3550 §6.4.1)`);
  else lines.push('Jitter: not known, for the clock of this payload type is not');
  if (m.mos !== undefined) lines.push(`MOS: ${trimmed(m.mos.value, 2)}, an estimate by ${m.mos.method}`);
  for (const h of m.headOfLine)
    lines.push(
      `Head of line: ${plural(h.packets, 'packet')} waited up to ${duration(h.ms)} for a lost segment of the tunnel (stall ${h.stall})`,
    );
  if (m.dtmf !== undefined) lines.push(`DTMF: ${m.dtmf}`);
  lines.push(...rtcpLines(m));
  return lines;
}

/** What RTCP itself says of the stream, beside what was measured. */
export function rtcpLines({ rtcp: r, packets, lost }: MediaEntity): string[] {
  if (r === undefined) return ['RTCP: none'];
  const lines = [`RTCP: ${plural(r.senderReports, 'sender report')}, ${plural(r.receiverReports, 'receiver report')}`];
  if (r.packetsSent !== undefined) lines.push(`Sender says: ${count(r.packetsSent)} sent; ${count(packets)} seen here`);
  if (r.lost !== undefined) lines.push(`Receiver says: ${count(r.lost)} lost; ${count(lost)} missing here`);
  if (r.jitterMs !== undefined) lines.push(`Receiver says: jitter ${duration(r.jitterMs)}`);
  if (r.roundTripMs !== undefined) lines.push(`Round trip: ${duration(r.roundTripMs)}`);
  return lines;
}
