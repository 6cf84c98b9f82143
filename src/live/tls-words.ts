/** What an error of sockets or TLS means, for people. */

/** How OpenSSL names an alert that came. */
const ALERT = /^(?:tlsv1\d*|sslv3) (?:alert )?([a-z ]+)$/i;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'there was no answer (blocked access, or a wrong address)',
  ENOTFOUND: 'that name does not exist',
  EAI_AGAIN: 'the name could not be resolved',
  EADDRINUSE: 'the address is in use already',
  EADDRNOTAVAIL: 'that is no address of this machine',
  EACCES: 'permission denied',
  EPIPE: 'the other side is gone',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the CA of its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the CA of its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the CA of its certificate is not known',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the private key is not that of the certificate',
  ERR_SSL_NO_CIPHER_MATCH: 'there is no such cipher suite',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what came is not TLS',
  ERR_SSL_HTTP_REQUEST: 'what came is HTTP, not TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'no TLS version in common',
  ERR_SSL_NO_SHARED_CIPHER: 'no cipher suite in common',
  ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: 'a record was damaged on its way',
};

/** Node's error about a certificate that is for somebody else. */
interface NameError extends NodeJS.ErrnoException {
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string | string[] } };
}

function otherName({ host = '', cert }: NameError): string {
  const names = cert?.subjectaltname ?? [cert?.subject?.CN ?? []].flat().join(', ');
  return `its certificate is for ${names === '' ? 'nobody' : names}, not for ${host}`;
}

/** The cause of an error in words, with its code where there is one. */
export function plainly(error: NodeJS.ErrnoException): string {
  const { code = '', message } = error;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return otherName(error as NameError);
  if (WORDS[code] !== undefined) return `${WORDS[code]} (${code})`;
  const reason = (error as { reason?: string }).reason ?? '';
  const alert = ALERT.exec(reason);
  if (alert !== null) {
    const name = alert[1].trim().replaceAll(' ', '_');
    const why = name === 'certificate_required' ? ': it wants a certificate, and a UE of fttscope has none' : '';
    return `the other side sent the alert ${name}${why}`;
  }
  if (reason !== '') return `${reason} (${code})`;
  return code === '' ? message : `${message.replace(/^\w+:.*?:/, '').trim()} (${code})`;
}
