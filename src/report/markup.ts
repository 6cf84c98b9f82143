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
