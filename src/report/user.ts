/** What people write between the digits of a number (RFC 3966 §3), and before them. */
const SEPARATORS = /[+().-]/g;

/** A URI without scheme, parameters, and what a header field puts around it. */
const bare = (uri: string): string =>
  uri
    .toLowerCase()
    .replace(/^.*</, '')
    .replace(/>.*$/, '')
    .replace(/^(sips?|tel):/, '')
    .split(';')[0];

/** The digits of a number; empty for what is none. */
const digits = (user: string): string => (/^\+?[\d().-]+$/.test(user) ? user.replace(SEPARATORS, '') : '');

/** Whether a URI is that of a user, who is named by a URI, its user part, or a number, with or without its `+`. */
export function userTest(user: string): (uri: string) => boolean {
  const wanted = bare(user.trim());
  const number = digits(wanted);
  return (uri) => {
    const whole = bare(uri);
    const part = whole.split('@')[0];
    return whole === wanted || part === wanted || (number !== '' && digits(part) === number);
  };
}
