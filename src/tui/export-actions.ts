import { basename } from 'node:path';
import type { Ladder } from '../report/ladder.js';
import { ladderMermaid } from '../report/ladder-mermaid.js';
import { ladderSvg } from '../report/ladder-svg.js';
import { ladderPage } from '../report/ladder-text.js';
import type { Report } from '../report/report.js';
import { reportHtml } from '../report/report-html.js';
import { reportJson } from '../report/report-json.js';
import { reportMarkdown } from '../report/report-markdown.js';
import { ChoiceDialog } from './choice-dialog.js';
import { type Listed, rowNumbers, withMedia } from './chosen-rows.js';
import { type ExportOffer, isExporting, type PacketsOffer, type TextOffer } from './exports.js';
import { askForFile, stemOf, writeText } from './files.js';
import { watched } from './progress-dialog.js';
import type { Desk } from './view.js';
import { octets, plural } from './words.js';

/** Cells of a line of a ladder that is exported as text. */
const LADDER_WIDTH = 120;

/** A ladder as text. */
export const ladderLines = (ladder: Ladder): string[] => ladderPage(ladder, { width: LADDER_WIDTH }).split('\n');

/** What a ladder can be saved as. */
export const ladderOffers = (ladder: Ladder): TextOffer[] => [
  { name: 'ladder as text', file: 'ladder.txt', make: () => ladderPage(ladder, { width: LADDER_WIDTH }) },
  { name: 'ladder as Mermaid', file: 'ladder.mmd', make: () => ladderMermaid(ladder) },
  { name: 'ladder as SVG', file: 'ladder.svg', make: () => ladderSvg(ladder) },
];

/** Packets with all fields, in the shape of tshark; those of calls with the media that these set up. */
export const jsonOffer = (desk: Desk, listed: Listed, name: string, file: string): PacketsOffer => ({
  name,
  file,
  rows: async (watch) => (listed.dialogs === undefined ? rowNumbers(listed) : withMedia(desk, listed, watch)),
});

/** What every report can be saved as. */
const REPORTS = [
  { name: 'Markdown', for: 'report for people, for a ticket', file: 'findings.md', text: reportMarkdown },
  { name: 'HTML', for: 'report as one page', file: 'html', text: reportHtml },
  { name: 'JSON', for: 'report for programs', file: 'report.json', text: reportJson },
];

/** What every capture can be saved as. */
function reportOffers(desk: Desk): TextOffer[] {
  const { viewer } = desk;
  const redacted = (): Promise<Report> =>
    watched(desk, 'Reading again, to give pseudonyms', (watch) => viewer.redactedReport(watch));
  return [
    ...REPORTS.map(({ name, for: words, file, text }) => ({
      name: `${name}: ${words}`,
      file,
      make: async () => [...text(await viewer.report())].join(''),
    })),
    ...REPORTS.map(({ name, file, text }) => ({
      name: `redacted ${name}: the same with pseudonyms`,
      file: `redacted.${file}`,
      make: async () => [...text(await redacted())].join(''),
    })),
  ];
}

/** What a view can be saved as, then what every capture can. */
export const exportOffers = (desk: Desk, view: object): readonly ExportOffer[] => [
  ...(isExporting(view) ? view.exports() : []),
  ...reportOffers(desk),
];

/** Asks what to export, then where to: `file` is proposed, or a name made of that of the capture. */
export function exportDialog(desk: Desk, view: object, file = ''): void {
  offerExports(desk, exportOffers(desk, view), file);
}

/** Asks which of some to export, then where to. */
export function offerExports(desk: Desk, offers: readonly ExportOffer[], file = ''): void {
  const items = offers.map((offer) => ({
    text: offer.name,
    note: `.${offer.file}`,
    take: () => save(desk, offer, file),
  }));
  const words = desk.viewer.status.done ? [] : ['The capture is still being read: what is exported ends there.'];
  desk.show(new ChoiceDialog(desk, 'Export', () => items, words));
}

/** Asks where to, and before where that is due. */
export function save(desk: Desk, offer: ExportOffer, file = ''): void {
  if ('rows' in offer || offer.consent === undefined) saveTo(desk, offer, file);
  else desk.confirm(offer.consent, () => saveTo(desk, offer, file));
}

function saveTo(desk: Desk, offer: ExportOffer, file: string): void {
  askForFile(desk, 'export to', file === '' ? `${stemOf(desk)}.${offer.file}` : file, async (path) => {
    if ('rows' in offer) {
      const n = await watched(desk, `Writing ${basename(path)}`, async (watch) =>
        desk.viewer.write({ path, what: 'json', withKeys: false, rows: await offer.rows(watch) }, watch),
      );
      return `${path}: ${plural(n, 'packet')} written`;
    }
    const text = await offer.make();
    writeText(path, text);
    const lacks = offer.lacks?.() ?? '';
    return `${path}: ${octets(Buffer.byteLength(text))} written${lacks === '' ? '' : `, ${lacks}`}`;
  });
}
