import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { Field } from '../kit/index.js';
import { userTest } from './user.js';
import { fieldText } from './value.js';

/** Fields in which a SIP message names users. */
const USER_FIELDS = [
  'sip.from.addr',
  'sip.to.addr',
  'sip.r-uri',
  'sip.contact.uri',
  'sip.pai.addr',
  'sip.ppi.addr',
  'sip.P-Associated-URI',
  'sip.auth.username',
];
const CALL_ID = 'sip.Call-ID';
const SETUP_FRAMES = ['rtp.setup-frame', 'rtcp.setup-frame'];

/** Whose SIP dialogs, or which one. */
export interface Parties {
  readonly user?: string | undefined;
  readonly callId?: string | undefined;
}

/** SIP messages of a dialog or a user, and the media that they set up. One pass: dialogs are learned as they appear. */
export class Dialogs {
  /** Whether there was one. */
  found = false;
  /** Fields that it reads from the tree. */
  readonly fields: readonly Field[];
  private readonly callIds = new Set<string>();
  private readonly setups = new Set<number>();
  private readonly isUser: (uri: string) => boolean;

  constructor(
    private readonly parties: Parties,
    registry: Registry,
  ) {
    const { user, callId } = parties;
    this.fields = [...USER_FIELDS, CALL_ID, ...SETUP_FRAMES].flatMap((name) => registry.byName(name));
    if (callId !== undefined) this.callIds.add(callId);
    this.isUser = user === undefined ? () => false : userTest(user);
  }

  get words(): string {
    return noDialog(this.parties);
  }

  takes(row: Row): boolean {
    const t = row.dissection.tree;
    let id: string | undefined;
    let named = false;
    let media = false;
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field(i);
      if (name === CALL_ID) id = fieldText(t, i);
      else if (SETUP_FRAMES.includes(name)) media ||= this.setups.has(t.number[i]);
      else if (this.parties.user !== undefined && USER_FIELDS.includes(name)) named ||= this.isUser(fieldText(t, i));
    }
    if (media) return true;
    if (id === undefined) return false;
    if (named) this.callIds.add(id);
    if (!this.callIds.has(id)) return false;
    this.setups.add(row.frame);
    this.found = true;
    return true;
  }
}

/** What there is none of, where no SIP is of the user and the Call-ID that were asked for. */
export function noDialog({ user, callId }: Parties): string {
  const whose = [
    ...(user === undefined ? [] : [`user ${user}`]),
    ...(callId === undefined ? [] : [`Call-ID ${callId}`]),
  ];
  return `no SIP of ${whose.join(' and ')} was found`;
}
