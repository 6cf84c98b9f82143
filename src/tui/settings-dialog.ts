import { ChoiceDialog, type ChoiceItem } from './choice-dialog.js';
import { TIME_FORMATS, type TimeFormat } from './times.js';
import type { Desk } from './view.js';

const THEMES = ['dark', 'light', 'contrast', 'mono'] as const;

/** The settings, one a line; Enter takes the next value. They are kept. */
export function settingsDialog(desk: Desk): void {
  const { settings, places } = desk.memory;
  const keep = (): void => {
    const wrong = desk.memory.saveSettings();
    if (wrong !== undefined) desk.say(wrong, 'warn');
  };
  const flag = (text: string, name: 'mouse' | 'ascii', when: string): ChoiceItem => ({
    text,
    note: `${settings[name] ? 'on' : 'off'}${when}`,
    take: () => {
      settings[name] = !settings[name];
      keep();
    },
  });
  const items = (): ChoiceItem[] => [
    {
      text: 'theme',
      note: desk.preferences.name,
      take: () => {
        desk.perform('theme', THEMES[(THEMES.indexOf(desk.preferences.name) + 1) % THEMES.length]);
        keep();
      },
    },
    {
      text: 'form of times',
      note: TIME_FORMATS[desk.preferences.time].words,
      take: () => {
        const all = Object.keys(TIME_FORMATS) as TimeFormat[];
        settings.time = all[(all.indexOf(desk.preferences.time) + 1) % all.length];
        desk.preferences.time = settings.time;
        keep();
      },
    },
    flag('mouse', 'mouse', ', from the next start on'),
    flag('ASCII only', 'ascii', ', from the next start on'),
    {
      text: 'muted findings',
      note: settings.muted.length === 0 ? 'none' : settings.muted.join(' '),
      take: () => desk.perform('unmute'),
    },
  ];
  desk.show(new ChoiceDialog(desk, 'Settings', items, [`kept in ${places.config}`], true));
}
