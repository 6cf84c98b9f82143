import { CallsView } from './calls-view.js';
import { FindingsView } from './findings-view.js';
import { LiveView } from './live-view.js';
import { LogView } from './log-view.js';
import { MediaView } from './media-view.js';
import { PacketsView } from './packets-view.js';
import { StatisticsView } from './statistics-view.js';
import { TunnelsView } from './tunnels-view.js';
import type { Desk, View } from './view.js';

/** All views, in the order of their keys. */
export function makeViews(desk: Desk): readonly View[] {
  return [
    new TunnelsView(desk),
    new PacketsView(desk),
    new CallsView(desk),
    new MediaView(desk),
    new FindingsView(desk, mutedOf(desk)),
    new StatisticsView(desk),
    new LiveView(desk, desk.live),
    new LogView(desk),
  ];
}

/** Codes of findings that nobody wants to see, kept in the settings. */
function mutedOf(desk: Desk): { codes: Set<string>; save(): void } {
  const { memory } = desk;
  const codes = new Set(memory.settings.muted);
  const save = (): void => {
    memory.settings.muted = [...codes];
    const wrong = memory.saveSettings();
    if (wrong !== undefined) desk.say(wrong, 'warn');
  };
  return { codes, save };
}
