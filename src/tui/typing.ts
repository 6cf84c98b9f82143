import { harmless } from './cells.js';
import type { Prompt } from './prompt.js';
import type { Panel } from './view.js';

/** Characters of what is pasted into a line. */
const MOST_PASTED = 8192;
/** Keys with Alt that change a line which is written. */
const LINE_EDITS = new Set(['Alt-b', 'Alt-f', 'Alt-d', 'Alt-\x7f']);

/** Whether somebody writes a line. */
const isTyping = (prompt: Prompt | undefined, panel: Panel): boolean =>
  prompt !== undefined || panel.caret?.() !== undefined;

/**
 * The two keys that came as one: where a line is slow, or we are, Esc and the key after it come together, as if Alt had
 * been held. Undefined: it is one key.
 */
export function twoKeys(key: string, prompt: Prompt | undefined, panel: Panel): readonly string[] | undefined {
  const second = /^Alt-(.)$/u.exec(key)?.[1];
  if (second === undefined || (LINE_EDITS.has(key) && isTyping(prompt, panel))) return undefined;
  return ['Esc', second === ' ' ? 'Space' : second];
}

/** Puts pasted text where a line is written; returns words for the user where not all of it was taken. */
export function paste(text: string, prompt: Prompt | undefined, panel: Panel): string | undefined {
  // What stood on several lines is one here.
  const line = text.replace(/[\r\n]+$/, '').replace(/[\r\n\t]+/g, ' ');
  const taken = line.slice(0, MOST_PASTED);
  if (prompt !== undefined) prompt.insert(taken);
  else if (panel.key !== undefined && isTyping(prompt, panel))
    for (const c of harmless(taken)) panel.key(c === ' ' ? 'Space' : c);
  else return 'pasted text is taken where a line is typed: after {filter} or {palette} or {find}';
  return taken === line ? undefined : `only the first ${MOST_PASTED} characters of what was pasted are taken`;
}
