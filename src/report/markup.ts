import { printable } from '../kit/index.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text from anywhere as text of HTML or SVG, also in an attribute; what turns or ends text is made visible. */
export const escaped = (s: string): string => printable(s).replace(/[&<>"']/g, (c) => ENTITIES[c]);

/**
 * Text from anywhere as text of Markdown, nothing else. An underscore within a word marks nothing there (CommonMark 6.2), and
 * names are full of them: people read Markdown as it is, too.
 */
export const asMarkdown = (s: string): string =>
  printable(s).replace(/[\\`*[\]<>|&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (c) => `&#${c.charCodeAt(0)};`);
