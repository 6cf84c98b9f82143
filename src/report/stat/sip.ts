import { STATUS_NAMES } from '../../../dissectors/sip/status.js';
import type { Row } from '../../engine/row.js';
import type { Field, Tree } from '../../kit/index.js';
import { fieldText } from '../value.js';
import { firstNode, named, RULE, type Selector, type StatContext, type Statistic, selector } from './statistic.js';

/** `sip,stat[,FILTER]`: requests, responses, and how long INVITEs took to their ACK. */
export class SipMessages implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  private readonly only: Selector;
  private messages = 0;
  private resent = 0;
  private readonly methods = new Map<string, number>();
  private readonly statuses = new Map<number, number>();
  private setups = 0;
  private setupSum = 0;
  private setupMin = 0;
  private setupMax = 0;

  constructor(cx: StatContext, filter: string) {
    this.asked = cx.asked;
    this.only = selector(cx, filter);
    const names = ['fttims', 'sip.Method', 'sip.Status-Code', 'sip.resend', 'sip.response-time'];
    this.fields = [...named(cx.registry, ...names), ...this.only.fields];
  }

  take(row: Row): void {
    if (!this.only.matches(row)) return;
    const t = row.dissection.tree;
    let acknowledges = false;
    for (let i = firstNode(row, t); i < t.length; i++) {
      switch (t.field(i).name) {
        case 'sip.Method':
          acknowledges = this.request(fieldText(t, i));
          break;
        case 'sip.Status-Code':
          acknowledges = false;
          this.response(t, i);
          break;
        case 'sip.resend':
          if (t.number[i] !== 0) this.resent++;
          break;
        case 'sip.response-time':
          if (acknowledges) this.setUp(t.number[i]);
          break;
      }
    }
  }

  /** Returns whether it is an ACK. */
  private request(method: string): boolean {
    this.messages++;
    this.methods.set(method, (this.methods.get(method) ?? 0) + 1);
    return method === 'ACK';
  }

  private response(t: Tree, i: number): void {
    this.messages++;
    const status = t.number[i];
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  private setUp(ms: number): void {
    if (ms === 0) return;
    this.setupMin = this.setups === 0 ? ms : Math.min(this.setupMin, ms);
    this.setupMax = Math.max(this.setupMax, ms);
    this.setupSum += ms;
    this.setups++;
  }

  private get sortedStatuses(): (readonly [number, number])[] {
    return [...this.statuses].sort(([a], [b]) => a - b);
  }
  private get average(): number {
    return this.setups === 0 ? 0 : Math.floor(this.setupSum / this.setups);
  }

  text(): string {
    const counted = (n: number): string => `${String(n).padStart(5)} Packets`;
    const filtered = this.only.text === '' ? '' : ` with filter ${this.only.text}`;
    return `\n${[
      RULE,
      `SIP Statistics${filtered}`,
      '',
      `Number of SIP messages: ${this.messages}`,
      `Number of resent SIP messages: ${this.resent}`,
      '',
      '* SIP Status Codes in reply packets',
      ...this.sortedStatuses.map(
        ([status, n]) => `  SIP ${status} ${(STATUS_NAMES[status] ?? 'Unknown').padEnd(15)} : ${counted(n)}`,
      ),
      '',
      '* List of SIP Request methods',
      ...[...this.methods].map(([method, n]) => `  ${method.padEnd(15)} : ${counted(n)}`),
      '',
      `* Average setup time ${this.average} ms`,
      ` Min ${this.setupMin} ms`,
      ` Max ${this.setupMax} ms`,
      RULE,
    ].join('\n')}\n`;
  }

  json(): object {
    const { messages, resent, setups } = this;
    const setupMs = { count: setups, average: this.average, min: this.setupMin, max: this.setupMax };
    const statuses = Object.fromEntries(this.sortedStatuses.map(([s, n]) => [String(s), n]));
    const methods = Object.fromEntries(this.methods);
    return { statistic: this.asked, filter: this.only.text, messages, resent, methods, statuses, setupMs };
  }
}
