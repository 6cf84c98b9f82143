import type { MessagePort } from 'node:worker_threads';
import type { Report } from '../report/report.js';
import { CaptureViewer } from './capture-viewer.js';
import type { Questions, ToEngine, ToScreens } from './messages.js';
import type { Selected } from './selected.js';
import { packed, packedOver } from './story.js';
import { Stopped, Superseded } from './superseded.js';
import type { ViewedCapture } from './viewed-capture.js';
import type { Watch } from './viewer.js';

/** Opens captures and answers the questions that come through a port. @throws CaptureError where one cannot be opened */
export async function serve(viewed: ViewedCapture, port: MessagePort): Promise<void> {
  const selections = new Map<number, Selected>();
  const working = new Map<number, AbortController>();
  const post = (message: ToScreens): void => port.postMessage(message);
  const viewer = await CaptureViewer.open(viewed, (added, status, anew) =>
    post({ type: 'status', status, added, anew }),
  );
  port.on('message', (m: ToEngine) => {
    switch (m.type) {
      case 'ask': {
        const { id } = m;
        const stop = new AbortController();
        working.set(id, stop);
        const watch: Watch = { signal: stop.signal, progress: (part) => post({ type: 'progress', id, part }) };
        void answer(viewer, m, watch)
          .then(
            (value) => post({ type: 'answer', id, value }),
            (e: unknown) => post(failed(id, e)),
          )
          .finally(() => working.delete(id));
        break;
      }
      case 'select':
        selections.set(
          m.id,
          select(viewer, m, post, () => selections.delete(m.id)),
        );
        break;
      case 'drop':
        working.get(m.id)?.abort();
        selections.get(m.id)?.cancel();
        selections.delete(m.id);
        break;
      case 'cancel':
        viewer.cancel();
        break;
      case 'close':
        void viewer.close().then(() => port.close());
    }
  });
  post({ type: 'opened' });
}

function failed(id: number, e: unknown): ToScreens {
  const message = e instanceof Error ? e.message : String(e);
  if (e instanceof Superseded) return { type: 'failed', id, message, why: 'superseded' };
  return { type: 'failed', id, message, ...(e instanceof Stopped && { why: 'stopped' }) };
}

function answer(viewer: CaptureViewer, m: ToEngine & { type: 'ask' }, watch: Watch): Promise<unknown> {
  switch (m.question) {
    case 'detail':
      return viewer.detail(m.with.row);
    case 'values':
      return viewer.values(m.with);
    case 'report':
      return viewer.telling(inArrays);
    case 'redactedReport':
      return viewer.redactedReport(watch);
    case 'story':
      return viewer.telling(packed);
    case 'over':
      return viewer.over(m.with.from).then(packedOver);
    case 'follow':
      return viewer.follow(m.with.row, m.with.what);
    case 'write':
      return viewer.write(m.with, watch);
    case 'reopen':
      return viewer.reopen(m.with as Questions['reopen']);
  }
}

/** The report with its lists in arrays: what reads them from elsewhere cannot go to another thread. */
function inArrays(report: Report): Report {
  const { calls, media, findings } = report;
  return { ...report, calls: calls.slice(), media: media.slice(), findings: findings.slice() };
}

/** @param over is told when it will get no more rows */
function select(
  viewer: CaptureViewer,
  m: ToEngine & { type: 'select' },
  post: (m: ToScreens) => void,
  over: () => void,
): Selected {
  const s = viewer.select(m.choice);
  s.onMore(() => {
    const { seen, done, error } = s;
    post({ type: 'selected', id: m.id, added: s.added(), seen, done, ...(error !== undefined && { error }) });
    if (done) over();
  });
  return s;
}
