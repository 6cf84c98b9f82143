import { PacketsView } from './packets-view.js';
import { TunnelsView } from './tunnels-view.js';
import type { Desk, View } from './view.js';

/** All views, in the order of their keys. */
export function makeViews(desk: Desk): readonly View[] {
  return [new TunnelsView(desk), new PacketsView(desk)];
}
