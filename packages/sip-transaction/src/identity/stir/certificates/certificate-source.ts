/**
 * The certificates of signers, by the URL that names them: fetched once, checked, and kept for a while (RFC 8224 §6.2 steps 2
 * and 3, RFC 8226 §5). What strangers name costs a bounded number of fetches, and a bounded memory.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { SipUsageError } from '../../../errors'
import { AgedMap } from '../../../timers/aged-map'
import {
  certificateFetchesMax,
  certificateFetchTimeoutMs,
  certificateFileBytesMax,
  certificateKeptMs,
  certificateProblemKeptMs,
  certificatesKeptMax,
  certificatesPerFileMax,
} from '../limits'
import { findChain, readCertificates, validUntilMs } from './chain'
import { DelegatedAuthorization } from './delegated-authorization'
import type { FetchCertificate } from './https-fetch'
import { readTnAuthList, type TnAuthorization } from './tn-auth-list'

/** A certificate that leads to somebody trusted. */
export interface StirCertificate {
  readonly certificate: X509Certificate
  readonly publicKey: KeyObject
  /** The numbers that it is good for (RFC 8226 §9); undefined when it does not say. */
  readonly authority: TnAuthorization | undefined
}

/** What came of a URL; `status` is 436 for what cannot be fetched, 437 for what cannot be trusted. */
export type CertificateResult =
  | { readonly ok: true; readonly certificate: StirCertificate }
  | { readonly ok: false; readonly status: 436 | 437; readonly detail: string }

/** What a {@link CertificateSource} is made with. */
export interface CertificateSourceOptions {
  /** Whose word counts, in PEM, DER, or as certificates. */
  readonly trustAnchors: readonly (string | Uint8Array | X509Certificate)[]
  readonly fetchCertificate: FetchCertificate
  readonly wallMs: () => number
}

/** A result, with when it has to be found again. */
interface Judged {
  readonly result: CertificateResult
  readonly untilMs: number
}

/** Finds the certificates of signers. */
export class CertificateSource {
  private readonly anchors: readonly X509Certificate[]
  private readonly kept = new AgedMap<string, Judged>()
  /** Apart, so that URLs that lead nowhere push no certificate out. */
  private readonly failed = new AgedMap<string, Judged>()
  private readonly fetching = new Map<string, Promise<CertificateResult>>()

  /** @throws SipUsageError STIR_INVALID */
  constructor(private readonly options: CertificateSourceOptions) {
    this.anchors = options.trustAnchors.flatMap((anchor) => {
      const read = anchor instanceof X509Certificate ? [anchor] : readCertificates(anchor, Number.POSITIVE_INFINITY)
      if (read === undefined || read.length === 0) throw new SipUsageError('STIR_INVALID', 'a trust anchor')
      return read
    })
    if (this.anchors.length === 0) throw new SipUsageError('STIR_INVALID', 'no trust anchor')
  }

  /** How many certificates and failures are kept. */
  get size(): number {
    return this.kept.size + this.failed.size
  }

  /** The certificate that a URL names. Rejects when the signal aborts, and never else; others who wait go on. */
  async get(url: string, signal?: AbortSignal): Promise<CertificateResult> {
    signal?.throwIfAborted()
    const known = this.kept.get(url) ?? this.failed.get(url)
    if (known !== undefined && this.options.wallMs() < known.untilMs) return known.result
    const fetching = this.fetching.get(url) ?? this.begin(url)
    return signal === undefined ? fetching : orAborted(fetching, signal)
  }

  private begin(url: string): Promise<CertificateResult> {
    if (this.fetching.size >= certificateFetchesMax)
      return Promise.resolve({ ok: false, status: 436, detail: 'too many certificates are being fetched' })
    const fetching = this.load(url).then((judged) => {
      this.fetching.delete(url)
      this.keep(url, judged)
      return judged.result
    })
    this.fetching.set(url, fetching)
    return fetching
  }

  /** Does not reject: what did would hold its place among the fetches for ever. */
  private async load(url: string): Promise<Judged> {
    let file: Uint8Array | string
    try {
      // The function is somebody else's: it may throw, or never settle.
      const limit = AbortSignal.timeout(certificateFetchTimeoutMs)
      file = await orAborted(this.options.fetchCertificate(url, limit), limit)
    } catch {
      return this.refused(436, 'it cannot be fetched')
    }
    try {
      return this.judge(file)
    } catch {
      // OpenSSL throws for what it can parse and not use.
      return this.refused(437, 'it cannot be read')
    }
  }

  private judge(file: Uint8Array | string): Judged {
    if (file.length > certificateFileBytesMax) return this.refused(437, 'it is too long')
    const certificates = readCertificates(file, certificatesPerFileMax)
    const [certificate] = certificates ?? []
    if (certificates === undefined || certificate === undefined) return this.refused(437, 'it is no certificate')
    const nowMs = this.options.wallMs()
    const chain = findChain(certificates, this.anchors, nowMs)
    if (typeof chain === 'string') return this.refused(437, chain)
    const authority = authorityOf(chain)
    if (authority === undefined) return this.refused(437, 'its numbers cannot be read, or are not its own')
    const { publicKey } = certificate
    return {
      result: {
        ok: true,
        certificate: { certificate, publicKey, authority: authority === 'none' ? undefined : authority },
      },
      untilMs: Math.min(validUntilMs(chain), nowMs + certificateKeptMs),
    }
  }

  private refused(status: 436 | 437, detail: string): Judged {
    return { result: { ok: false, status, detail }, untilMs: this.options.wallMs() + certificateProblemKeptMs }
  }

  private keep(url: string, judged: Judged): void {
    const [table, other] = judged.result.ok ? [this.kept, this.failed] : [this.failed, this.kept]
    other.delete(url)
    if (!table.has(url) && table.size >= certificatesKeptMax) table.deleteOldest()
    table.set(url, judged)
  }
}

/**
 * What the first of a chain may sign for: nobody hands on more than he has (RFC 9060 §4.1). Undefined when a list cannot be
 * read, or when an authority of some numbers vouches for somebody who names none.
 */
function authorityOf(chain: readonly X509Certificate[]): TnAuthorization | 'none' | undefined {
  const [own, ...others] = chain.map(({ raw }) => readTnAuthList(raw))
  const above = others.filter((list) => list !== 'none')
  if (own === undefined || above.some((list) => list === undefined)) return undefined
  if (above.length === 0) return own
  if (own === 'none') return undefined
  const lists = above.filter((list) => list !== undefined)
  return new DelegatedAuthorization(own, lists)
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
