/** Statuses of proxies that mean more than a refusal. */

/** The UE is to say who it is. RFC 9110 §15.5.8 */
export const AUTHENTICATION_REQUIRED = 407;
/** It lets the UE through a while later. RFC 6585 §4 */
export const TOO_MANY_REQUESTS = 429;
