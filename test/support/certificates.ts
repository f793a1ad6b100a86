/** Certificates for tests, made when they run: an authority and what it signs, all on P-256. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000

/** A certificate and its key, PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** Who a certificate is for. */
export interface TestSubject {
  readonly dns?: readonly string[]
  /** Such as `sip:example.com`. */
  readonly uris?: readonly string[]
  readonly addresses?: readonly string[]
  readonly commonName?: string
  /** When it ends, from now; in the past for one that has expired. */
  readonly endsInMs?: number
}

/** An authority that signs. */
export class TestAuthority {
  /** The authority's own certificate, PEM. */
  readonly cert: string
  private lastSerial = 0
  private readonly name: string
  private readonly keys: webcrypto.CryptoKeyPair

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, cert: string) {
    this.name = name
    this.keys = keys
    this.cert = cert
  }

  /** Makes an authority. */
  static async create(name = 'Test Authority'): Promise<TestAuthority> {
    const keys = await newKeys()
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    })
    return new TestAuthority(name, keys, certificate.toString('pem'))
  }

  /** Signs a certificate for servers and clients. */
  async issue(subject: TestSubject): Promise<TestCertificate> {
    const keys = await newKeys()
    const names: JsonGeneralName[] = [
      ...(subject.dns ?? []).map((value) => ({ type: 'dns', value }) as const),
      ...(subject.uris ?? []).map((value) => ({ type: 'url', value }) as const),
      ...(subject.addresses ?? []).map((value) => ({ type: 'ip', value }) as const),
    ]
    const extensions: Extension[] = [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
    ]
    this.lastSerial += 1
    const certificate = await X509CertificateGenerator.create({
      serialNumber: (256 + this.lastSerial).toString(16).padStart(4, '0'),
      issuer: `CN=${this.name}`,
      subject: `CN=${subject.commonName ?? 'test'}`,
      notBefore: new Date(Date.now() - 2 * dayMs),
      notAfter: new Date(Date.now() + (subject.endsInMs ?? dayMs)),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions,
    })
    return { cert: certificate.toString('pem'), key: await keyPem(keys.privateKey) }
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}
