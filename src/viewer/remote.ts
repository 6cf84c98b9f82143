import type { Worker } from 'node:worker_threads';
import type { FilterError } from '../filter/index.js';
import type { CallsOver } from '../model/archive.js';
import type { Report } from '../report/report.js';
import type { Questions, ToEngine, ToScreens } from './messages.js';
import { Rows } from './rows.js';
import { Selected } from './selected.js';
import { type Story, unpacked, unpackedOver } from './story.js';
import { Stopped, Superseded } from './superseded.js';
import {
  type Choice,
  type Detail,
  type FollowedStream,
  NOTHING_READ,
  type Reopen,
  type RowValues,
  type Selection,
  type ValuesRequest,
  type Viewer,
  type Watch,
  type WriteRequest,
} from './viewer.js';

/** A capture could not be opened. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly hint: string | undefined,
    readonly code: number | undefined,
  ) {
    super(message);
  }
}

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly watch: Watch | undefined;
}

function errorOf({ message, why }: ToScreens & { type: 'failed' }): Error {
  if (why === undefined) return new Error(message);
  return why === 'superseded' ? new Superseded(message) : new Stopped();
}

/** A capture that a worker reads. */
export class RemoteViewer implements Viewer {
  readonly rows = new Rows();
  status = NOTHING_READ;
  private readonly listeners: (() => void)[] = [];
  private readonly asked = new Map<number, Asked>();
  private readonly selections = new Map<number, Selected>();
  private last = 0;
  /** The worker is gone. */
  private gone: Error | null = null;

  private constructor(
    private readonly worker: Worker,
    private readonly checks: (filter: string) => FilterError | null,
  ) {}

  /**
   * Waits until the worker has opened its captures. `check` compiles filters in this thread.
   * @throws Refused where they cannot be opened
   */
  static open(worker: Worker, check: (filter: string) => FilterError | null): Promise<RemoteViewer> {
    const viewer = new RemoteViewer(worker, check);
    return new Promise((resolve, reject) => {
      worker.on('message', (m: ToScreens) => {
        if (m.type === 'opened') resolve(viewer);
        else if (m.type === 'refused') reject(new Refused(m.message, m.hint, m.code));
        else viewer.heard(m);
      });
      worker.on('error', (error) => {
        viewer.lost(error);
        reject(error);
      });
      worker.on('exit', (code) => viewer.lost(new Error(`the engine has ended (${code})`)));
    });
  }

  private post(message: ToEngine): void {
    this.worker.postMessage(message);
  }

  private heard(m: Exclude<ToScreens, { type: 'opened' | 'refused' }>): void {
    switch (m.type) {
      case 'status':
        if (m.anew) this.rows.clear();
        this.rows.add(m.added);
        this.status = m.status;
        this.tell();
        break;
      case 'selected': {
        const s = this.selections.get(m.id);
        if (s === undefined) break;
        s.add(m.added);
        s.seen = m.seen;
        if (m.error !== undefined) s.error = m.error;
        s.done = m.done;
        if (s.done) this.selections.delete(m.id);
        s.tell();
        break;
      }
      case 'progress':
        this.asked.get(m.id)?.watch?.progress(m.part);
        break;
      case 'answer':
        this.take(m.id)?.resolve(m.value as never);
        break;
      case 'failed':
        this.take(m.id)?.reject(errorOf(m));
    }
  }

  private take(id: number): Asked | undefined {
    const a = this.asked.get(id);
    this.asked.delete(id);
    return a;
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** The worker ended: whoever waits is told, and the screens say so. */
  private lost(error: Error): void {
    if (this.gone !== null) return;
    this.gone = error;
    for (const { reject } of this.asked.values()) reject(error);
    this.asked.clear();
    for (const s of this.selections.values()) if (!s.done) s.fail(error.message);
    const message = { severity: 'error', text: `reading has ended: ${error.message}` } as const;
    this.status = { ...this.status, done: true, messages: [...this.status.messages, message] };
    this.tell();
  }

  private ask<Q extends keyof Questions>(question: Q, w: Questions[Q], watch?: Watch): Promise<never> {
    return new Promise((resolve, reject) => {
      if (this.gone !== null) {
        reject(this.gone);
        return;
      }
      const id = ++this.last;
      this.asked.set(id, { resolve, reject, watch });
      this.post({ type: 'ask', id, question, with: w } as ToEngine);
      watch?.signal.addEventListener('abort', () => this.post({ type: 'drop', id }));
    });
  }

  onStatus(listener: () => void): void {
    this.listeners.push(listener);
  }

  check(filter: string): FilterError | null {
    return this.checks(filter);
  }

  select(choice: Choice): Selection {
    const id = ++this.last;
    const s = new Selected(choice, () => {
      this.selections.delete(id);
      this.post({ type: 'drop', id });
    });
    this.selections.set(id, s);
    this.post({ type: 'select', id, choice });
    return s;
  }

  detail(row: number): Promise<Detail> {
    return this.ask('detail', { row });
  }
  values(request: ValuesRequest): Promise<readonly RowValues[]> {
    return this.ask('values', request);
  }
  report(): Promise<Report> {
    return this.ask('report', undefined);
  }
  redactedReport(watch: Watch): Promise<Report> {
    return this.ask('redactedReport', undefined, watch);
  }
  async story(): Promise<Story> {
    return unpacked(await this.ask('story', undefined));
  }
  async over(from: number): Promise<CallsOver> {
    return unpackedOver(await this.ask('over', { from }));
  }
  follow(row: number, what: 'payload' | 'envelopes'): Promise<FollowedStream> {
    return this.ask('follow', { row, what });
  }
  write(request: WriteRequest, watch?: Watch): Promise<number> {
    return this.ask('write', request, watch);
  }
  reopen(changes: Reopen): Promise<void> {
    return this.ask('reopen', changes);
  }

  cancel(): void {
    this.post({ type: 'cancel' });
  }

  async close(): Promise<void> {
    if (this.gone !== null) return;
    this.gone = new Error('closed');
    await this.worker.terminate();
  }
}
