import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportMarkdown } from '../report/report-markdown.js';
import { harmless } from './cells.js';
import { ChoiceDialog } from './choice-dialog.js';
import { exportOffers } from './export-actions.js';
import { askForFile, stemOf, writeText } from './files.js';
import { PacketsView } from './packets-view.js';
import { themeFor } from './theme.js';
import type { Desk, Dialog, Reading, View } from './view.js';

/* Other programs in our terminal: the pager that reads what is shown, the editor for what is typed. */

type Env = Readonly<Record<string, string | undefined>>;

/** What the user reads with, and edits with; as shells take them. */
const pagerOf = (env: Env): string => env.PAGER?.trim() || 'less';
const editorOf = (env: Env): string => env.VISUAL?.trim() || env.EDITOR?.trim() || 'vi';

/** What of the program these need. */
export interface Lender extends Desk {
  readonly view: View;
  readonly dialog: Dialog | undefined;
  /** Gives the terminal to a program with a file, and takes it back. @throws Error in words */
  lend(command: string, path: string): Promise<void>;
  /** Takes the keys of the settings; returns what is wrong with them. */
  bindKeys(): readonly string[];
}

/** Does something with a file that only the user can read, and that is gone afterwards. */
async function withFile<T>(name: string, text: string, what: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-'));
  try {
    const path = join(folder, name.replace(/[^\w.-]+/g, '-'));
    writeText(path, text);
    return await what(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Shows what has the focus in the pager; `report`: the whole report. What packets say reaches it as text alone. */
export async function page(app: Lender, what: string): Promise<void> {
  try {
    const { name, lines } = what === 'report' ? await wholeReport(app) : reading(app);
    const text = `${lines.map(harmless).join('\n')}\n`;
    await withFile(`${name}.txt`, text, (path) => app.lend(pagerOf(process.env), path));
  } catch (e) {
    app.say((e as Error).message, 'error');
  }
}

async function wholeReport(app: Lender): Promise<Reading> {
  const text = [...reportMarkdown(await app.viewer.report())].join('');
  return { name: 'report', lines: text.split('\n') };
}

function reading({ view, dialog }: Lender): Reading {
  const whole = { name: view.id, lines: view.plain() };
  return dialog === undefined ? (view.reading?.() ?? whole) : (dialog.reading?.() ?? whole);
}

/** Edits the display filter where packets are, elsewhere what can be exported; `settings`: the settings. */
export async function edit(app: Lender, what: string): Promise<void> {
  try {
    if (what === 'settings') await editSettings(app);
    else if (app.view instanceof PacketsView) await editFilter(app, app.view);
    else editExport(app);
  } catch (e) {
    app.say((e as Error).message, 'error');
  }
}

const edited = (app: Lender, path: string): Promise<void> => app.lend(editorOf(process.env), path);

async function editFilter(app: Lender, view: PacketsView): Promise<void> {
  const text = await withFile('filter.txt', `${view.packets.filter}\n`, async (path) => {
    await edited(app, path);
    return readFileSync(path, 'utf8');
  });
  view.setFilter(
    text
      .split(/\s*\n\s*/)
      .join(' ')
      .trim(),
  );
}

async function editSettings(app: Lender): Promise<void> {
  const { memory, preferences } = app;
  const wrong = memory.saveSettings();
  if (wrong !== undefined) throw new Error(wrong);
  await edited(app, memory.configFile);
  const problems = [...memory.reload(), ...app.bindKeys()];
  preferences.name = memory.settings.theme ?? preferences.name;
  preferences.theme = themeFor(preferences.name, preferences.depth);
  preferences.time = memory.settings.time;
  for (const p of problems) app.say(p, 'warn');
  if (problems.length === 0) app.say('theme, times and keys are as the settings say; the rest from the next start on');
}

function editExport(app: Lender): void {
  const texts = exportOffers(app, app.view)
    .filter((o) => 'make' in o)
    .filter((o) => o.consent === undefined);
  const offers = texts.map((offer) => ({
    text: offer.name,
    note: `.${offer.file}`,
    take: () =>
      askForFile(app, 'write and edit', `${stemOf(app)}.${offer.file}`, async (path) => {
        writeText(path, await offer.make());
        await edited(app, path);
        return `${path} is written`;
      }),
  }));
  const settings = { text: 'settings', note: app.memory.configFile, take: () => void edit(app, 'settings') };
  app.show(new ChoiceDialog(app, `Edit with ${editorOf(process.env)}`, () => [...offers, settings]));
}
