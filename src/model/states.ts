/** The words in which a report, its schema and filters say how something stands, in the order in which all list them. */

export const TUNNEL_STATES = ['established', 'failed', 'partial', 'other'] as const;
/** How far a tunnel came. */
export type TunnelState = (typeof TUNNEL_STATES)[number];

/** Who ended a tunnel. */
export const RELEASED_BY = ['ue', 'eftf', 'middlebox', 'unknown'] as const;
/** By what it ended. */
export const RELEASES = ['close_notify', 'fin', 'rst', 'silent', 'capture-end'] as const;

/** What became of a registration. */
export const REGISTRATION_STATES = ['registered', 'failed', 'in-progress', 'expired', 'deregistered'] as const;
export type RegistrationState = (typeof REGISTRATION_STATES)[number];

/** What became of a call. */
export const CALL_STATES = ['established', 'failed', 'cancelled', 'ringing', 'in-progress', 'ended'] as const;
export type CallState = (typeof CALL_STATES)[number];
