import { FilterForm, type Named, partOf } from './filter-form.js';
import type { Desk } from './view.js';

/** Of which part of a capture the command line wants to see packets. */
export interface Beginning extends Named {
  /** Empty: none. */
  readonly filter: string;
}

/** A tunnel that is known by its number from the first frame on. */
const NUMBER = /^\d+$/;

/**
 * Shows the packets that the command line names: those of a tunnel's number, and of a filter, at once; those of a user, a call or
 * the end of a tunnel when it is known in which tunnels they are, which is when all is read. Of a capture without an end, a user
 * and a call are shown as they come, and which tunnel is meant is asked once more.
 */
export async function beginAt(desk: Desk, { filter, ...named }: Beginning): Promise<void> {
  const { viewer } = desk;
  const { tunnel, user, callId } = named;
  const filtered = (): void => {
    if (filter !== '') desk.perform('filter', filter);
  };
  if (user === undefined && callId === undefined && (tunnel === undefined || NUMBER.test(tunnel))) {
    desk.open('packets', tunnel === undefined ? {} : { label: `tunnel ${tunnel}`, tunnels: [Number(tunnel)] });
    filtered();
    return;
  }
  const words = [tunnel && `tunnel ${tunnel}`, user && `user ${user}`, callId && `call ${callId}`];
  const label = words.filter(Boolean).join(', ');
  if (!viewer.status.done) desk.say(`${label}: shown when the capture is read`);
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (viewer.status.done || viewer.status.growing) resolve();
    };
    viewer.onStatus(look);
    look();
  });
  if (!viewer.status.done) {
    const dialogs = tunnel === undefined;
    desk.open('packets', dialogs ? { label, parties: { user, callId } } : {});
    filtered();
    if (!dialogs) desk.show(new FilterForm(desk, named));
    return;
  }
  const found = partOf(await viewer.story(), named, '', true);
  if (typeof found === 'string') desk.say(`${label}: ${found}`, 'warn');
  else {
    desk.say(`${label}: ${found.words}`);
    desk.open('packets', found.scope);
  }
  filtered();
}
