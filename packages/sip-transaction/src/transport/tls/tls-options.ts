/** What a user says about TLS: certificates, whom to trust, and how strict to be. */

/** A certificate with its key. Neither is ever logged. */
export interface TlsCertificate {
  /** PEM: the certificate, followed by those between it and the authority. */
  readonly cert: string | Uint8Array
  /** PEM: the private key. */
  readonly key: string | Uint8Array
  /** Of the key, when it is encrypted. */
  readonly passphrase?: string
}

/** A certificate for clients that ask for certain names. */
export interface NamedTlsCertificate extends TlsCertificate {
  /** The names, compared whole; those in the certificate when absent. */
  readonly serverNames?: readonly string[]
}

/** Options of the `tls://` and `wss://` listeners of a stack. */
export interface TlsOptions extends Partial<TlsCertificate> {
  /**
   * Certificates for further domains: a client gets the one for the name that it asks for, and `cert` when there is none
   * (RFC 6066 §3).
   */
  readonly certificates?: readonly NamedTlsCertificate[]
  /** Authorities to trust in place of those that Node brings, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Revoked certificates, PEM. */
  readonly crl?: string | Uint8Array | readonly (string | Uint8Array)[]
  /**
   * Whether clients of `tls://` are asked for a certificate: `requested` takes those without one, or with one that
   * nobody trusted has signed, as unknown; `required` refuses them. Default `none`. A reload does not change it.
   */
  readonly clientCertificate?: 'none' | 'requested' | 'required'
  /** The same for `wss://`, where browsers would ask their users. Default `none`. */
  readonly webClientCertificate?: 'none' | 'requested' | 'required'
  /** Default TLSv1.2. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Cipher suites in the notation of OpenSSL; those with forward secrecy and authenticated encryption when absent. */
  readonly ciphers?: string
  /** Connects to servers that cannot prove who they are. For tests only. */
  readonly trustAnyServer?: boolean
}
