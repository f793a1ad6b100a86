/**
 * The certificates in use, made from options once and replaced as a whole: choice by server name (RFC 6066 §3), versions
 * and cipher suites (RFC 9325 §3.1, §4.2). Connections that are up keep what they began with.
 */
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { SipUsageError } from '../../errors'
import { type CertificateNames, dnsNamesOf } from './identities'
import type { NamedTlsCertificate, TlsOptions } from './tls-options'

/** Forward secrecy and authenticated encryption only (RFC 9325 §4.2), TLS 1.3 first. */
const modernCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** Options of which everything that could be wrong has been tried. */
interface Contexts {
  readonly options: TlsOptions
  /** For clients that name no server, or one that has no certificate of its own; and for our own connections. */
  readonly main: SecureContext
  readonly byName: ReadonlyMap<string, SecureContext>
}

/** The TLS settings of one stack, shared by its listeners. */
export class TlsSettings {
  private contexts: Contexts
  private readonly watchers = new Set<() => void>()

  /** @throws SipUsageError TLS_INVALID */
  constructor(options: TlsOptions) {
    this.contexts = makeContexts(options)
  }

  /** The options in use. */
  get options(): TlsOptions {
    return this.contexts.options
  }

  /** True when there is a certificate to show. */
  get hasCertificate(): boolean {
    return this.options.cert !== undefined
  }

  /** For clients that name no server that we know, and for connections of our own. */
  get main(): SecureContext {
    return this.contexts.main
  }

  /** The certificate for the server that a client names. */
  forName(serverName: string): SecureContext | undefined {
    return this.contexts.byName.get(serverName.toLowerCase())
  }

  /** Options that `tls.createServer` takes beside the certificate, which {@link SecureContextOptions} have. */
  serverContextOptions(): SecureContextOptions {
    return contextOptions(this.options, this.options)
  }

  /**
   * Replaces everything, or nothing when the options do not hold together.
   * @throws SipUsageError TLS_INVALID
   */
  replace(options: TlsOptions): void {
    this.contexts = makeContexts(options)
    for (const watcher of this.watchers) watcher()
  }

  /** Calls `changed` after each replacement, until the returned function is called. */
  watch(changed: () => void): () => void {
    this.watchers.add(changed)
    return () => {
      this.watchers.delete(changed)
    }
  }
}

function makeContexts(options: TlsOptions): Contexts {
  // Node passes over authorities that it cannot read, and then nobody is trusted.
  for (const authority of options.ca === undefined ? [] : listOf(options.ca)) readCertificate(authority)
  const main = makeContext(options, options)
  const byName = new Map<string, SecureContext>()
  const named: readonly Partial<NamedTlsCertificate>[] = [...(options.certificates ?? []), options]
  for (const certificate of named) {
    if (certificate.cert === undefined) continue
    const context = certificate === options ? main : makeContext(options, certificate)
    for (const name of certificate.serverNames ?? namesIn(certificate.cert)) {
      const key = name.toLowerCase()
      if (!byName.has(key)) byName.set(key, context)
    }
  }
  return { options, main, byName }
}

function makeContext(options: TlsOptions, certificate: Partial<NamedTlsCertificate>): SecureContext {
  if ((certificate.cert === undefined) !== (certificate.key === undefined)) {
    throw new SipUsageError('TLS_INVALID', 'a certificate needs its key, and a key its certificate')
  }
  try {
    return createSecureContext(contextOptions(options, certificate))
  } catch (error) {
    throw invalid(error)
  }
}

function contextOptions(options: TlsOptions, certificate: Partial<NamedTlsCertificate>): SecureContextOptions {
  const { ca, crl } = options
  return {
    minVersion: options.minVersion ?? 'TLSv1.2',
    ciphers: options.ciphers ?? modernCiphers,
    honorCipherOrder: true,
    ...(ca === undefined ? {} : { ca: listOf(ca) }),
    ...(crl === undefined ? {} : { crl: listOf(crl) }),
    ...(certificate.cert === undefined ? {} : { cert: bufferOf(certificate.cert) }),
    ...(certificate.key === undefined ? {} : { key: bufferOf(certificate.key) }),
    ...(certificate.passphrase === undefined ? {} : { passphrase: certificate.passphrase }),
  }
}

function namesIn(cert: string | Uint8Array): readonly string[] {
  return dnsNamesOf(namesOfCertificate(readCertificate(bufferOf(cert))))
}

function readCertificate(pem: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw invalid(error)
  }
}

/** The names of a certificate in the form that identities are read from. */
export function namesOfCertificate(certificate: X509Certificate): CertificateNames {
  const commonNames = [...certificate.subject.matchAll(/^CN=(.*)$/gm)]
  return { subjectAltName: certificate.subjectAltName, commonName: commonNames.at(-1)?.[1] }
}

function listOf(value: string | Uint8Array | readonly (string | Uint8Array)[]): (string | Buffer)[] {
  return typeof value === 'string' || value instanceof Uint8Array ? [bufferOf(value)] : value.map(bufferOf)
}

function bufferOf(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Only the code of OpenSSL's error, which never holds key material. */
function invalid(error: unknown): SipUsageError {
  const code = (error as { code?: unknown } | null)?.code
  return new SipUsageError('TLS_INVALID', typeof code === 'string' ? code : 'not PEM')
}
