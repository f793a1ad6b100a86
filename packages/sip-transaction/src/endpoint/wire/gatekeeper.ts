/**
 * Judges each request before any state is made for it: scanners, sources that send too many, overload (RFC 7339 §5.4,
 * RFC 3261 §21.5.4). What belongs to a dialog or a transaction that is there passes in any case.
 */
import type { BlockList } from 'node:net'
import { type HeaderInit, responseTo, type SipRequest, type SipResponse } from '@carillon/sip-parser'
import { SipUsageError } from '../../errors'
import type { ProtectionLimits } from '../../limits'
import type { Flow, LoadProbe } from '../../ports'
import { OverloadController } from '../../protection/overload'
import type { OverloadFeedback } from '../../protection/overload-feedback'
import { requestClass } from '../../protection/request-class'
import { ScannerFilter } from '../../protection/scanner-filter'
import { SourceRateLimit } from '../../protection/source-rate-limit'
import { KeyedHash } from '../../transaction/keyed-hash'
import type { DropReason } from '../counters'
import type { ProtectionOptions, RateLimitOptions } from '../protection-options'
import { isIn, networksOf } from './networks'

/** What is to be done with a request: `undefined` lets it pass. */
export type Verdict =
  | { readonly kind: 'drop'; readonly reason: DropReason; readonly detail: string }
  | { readonly kind: 'refuse'; readonly because: 'overload' | 'rate-limit' }
  | undefined

/** What a gatekeeper knows of its stack. */
export interface GatekeeperWorld {
  /** Eight random bytes. */
  readonly key: Uint8Array
  readonly probe: LoadProbe | undefined
  readonly retryAfterSeconds: number
  readonly limits: ProtectionLimits
  wallMs(): number
  /** How full the fullest table is, 0 to 1. */
  occupancy(): number
  /** How long the slowest message has waited since the last call. */
  takeLongestWaitMs(): number
  /** Whether a request is inside a dialog of the stack. */
  isInside(request: SipRequest): boolean
  /** Whether a request repeats one that has been taken. */
  isKnown(request: SipRequest, flow: Flow): boolean
}

const scannerDrop = { kind: 'drop', reason: 'scanner' } as const

/** The way in of one stack. */
export class Gatekeeper {
  private readonly scanners: ScannerFilter | undefined
  private readonly rateLimit: SourceRateLimit | undefined
  private readonly rateAction: 'refuse' | 'drop'
  private readonly exempt: BlockList | undefined
  private readonly overload: OverloadController | undefined
  private readonly givesFeedback: boolean
  private readonly hash: KeyedHash
  private told: OverloadFeedback | undefined

  /** @throws SipUsageError RATE_LIMIT_INVALID */
  constructor(
    options: ProtectionOptions,
    private readonly world: GatekeeperWorld,
  ) {
    const { scanners = 'answer', rateLimit, overload = {} } = options
    const { limits, key } = world
    this.hash = new KeyedHash(key)
    if (scanners !== 'answer') this.scanners = new ScannerFilter(scanners === 'drop' ? {} : scanners)
    this.rateLimit = rateLimit === undefined ? undefined : rateLimitOf(rateLimit, limits)
    this.rateAction = rateLimit?.action ?? 'refuse'
    this.exempt = networksOf(rateLimit?.exempt, (name) => new SipUsageError('RATE_LIMIT_INVALID', name))
    this.givesFeedback = overload !== false && overload.feedback !== false
    if (overload !== false) {
      const { overloadDelayMs: delayMs, overloadIntervalMs: intervalMs } = limits
      this.overload = new OverloadController({ delayMs, intervalMs }, key)
    }
  }

  /** The part of the traffic that is turned away now, 0 to 1. */
  get reduction(): number {
    return this.overload?.reduction ?? 0
  }

  /** Sources whose rate is remembered. */
  get sources(): number {
    return this.rateLimit?.size ?? 0
  }

  /** Whether answers are of interest, for {@link answered}. */
  get countsAnswers(): boolean {
    return this.rateLimit !== undefined
  }

  /** What clients that take part in overload control are told now (RFC 7339 §5.2); looks at the load when that is due. */
  feedback(nowMs: number): OverloadFeedback | undefined {
    this.watch(nowMs)
    if (!this.givesFeedback) return undefined
    this.told ??= this.tell()
    return this.told
  }

  /** Judges a new request, its Via stamped. */
  judge(request: SipRequest, flow: Flow, nowMs: number): Verdict {
    const { scanners, rateLimit, overload, world } = this
    const { method } = request
    const isShedding = overload !== undefined && overload.reduction > 0
    if (method === 'ACK' || method === 'CANCEL') return undefined
    if (scanners === undefined && rateLimit === undefined && !isShedding) return undefined
    if (request.to.tag !== undefined && world.isInside(request)) return undefined
    const scanner = scanners?.judge(request)
    if (scanner !== undefined) return { ...scannerDrop, detail: scanner }
    if (rateLimit !== undefined && !isFree(request) && !this.takes(rateLimit, flow, nowMs))
      return this.overRate(world.isKnown(request, flow))
    if (!isShedding || !overload.sheds(requestClass(request), request.callId)) return undefined
    return world.isKnown(request, flow) ? undefined : { kind: 'refuse', because: 'overload' }
  }

  /** Judges a malformed request that could be answered. */
  judgeMalformed(request: SipRequest, flow: Flow, nowMs: number): Verdict {
    const scanner = this.scanners?.judge(request)
    if (scanner !== undefined) return { ...scannerDrop, detail: scanner }
    if (this.rateLimit === undefined || this.takes(this.rateLimit, flow, nowMs)) return undefined
    return this.overRate(true)
  }

  /** A request outside of dialogs has got its final answer. Whoever proved who he is does not use up his share. */
  answered(request: SipRequest, flow: Flow, status: number): void {
    if (status < 200 || status > 299 || !hasCredentials(request)) return
    const isNew = request.to.tag === undefined || request.method === 'REGISTER'
    if (isNew) this.rateLimit?.giveBack(flow.remote.address)
  }

  /**
   * The answer to a request that is refused, made without any state, the same each time that the request comes (RFC 3261
   * §8.2.7). When to come back is spread, so that not all come at once.
   */
  refusal(request: SipRequest): SipResponse {
    const { hash } = this
    hash.compute(`${request.callId} ${request.via.branch ?? ''} ${request.cseq.seq}`)
    const [low, high] = [hash.low >>> 0, hash.high >>> 0]
    const { retryAfterSeconds } = this.world
    const seconds = retryAfterSeconds + Math.floor((low / 2 ** 32) * (retryAfterSeconds + 1))
    const headers: HeaderInit[] = [['Retry-After', seconds]]
    return responseTo(request, 503, { toTag: `${high.toString(36)}${low.toString(36)}`, headers })
  }

  /** When {@link expire} has something to forget. */
  deadline(): number {
    return this.rateLimit?.deadline() ?? Number.POSITIVE_INFINITY
  }

  /** Forgets sources that have been quiet for long enough. */
  expire(nowMs: number): void {
    this.rateLimit?.expire(nowMs)
  }

  /** Stops measuring. */
  close(): void {
    this.world.probe?.close()
  }

  private watch(nowMs: number): void {
    const { overload, world } = this
    if (overload?.isDue(nowMs) !== true) return
    const delayMs = Math.max(world.probe?.delayMs() ?? 0, world.takeLongestWaitMs())
    overload.observe({ delayMs, occupancy: world.occupancy() }, nowMs)
    this.told = undefined
  }

  private tell(): OverloadFeedback {
    const { limits } = this.world
    return { reduction: this.reduction, validityMs: limits.overloadValidityMs, wallMs: this.world.wallMs() }
  }

  private takes(rateLimit: SourceRateLimit, flow: Flow, nowMs: number): boolean {
    const { address } = flow.remote
    if (this.exempt !== undefined && isIn(this.exempt, address)) return true
    return rateLimit.take(address, nowMs)
  }

  /** A request that has been taken must not be refused when it comes again; it is not needed either. */
  private overRate(isSilent: boolean): Verdict {
    if (isSilent || this.rateAction === 'drop') return { kind: 'drop', reason: 'rate-limit', detail: '' }
    return { kind: 'refuse', because: 'rate-limit' }
  }
}

/** A REGISTER without credentials is how every honest phone begins, and cheap to answer. */
function isFree(request: SipRequest): boolean {
  return request.method === 'REGISTER' && !hasCredentials(request)
}

function hasCredentials(request: SipRequest): boolean {
  return request.has('Authorization') || request.has('Proxy-Authorization')
}

function rateLimitOf(options: RateLimitOptions, limits: ProtectionLimits): SourceRateLimit {
  const { requestsPerSecond = limits.rateLimitPerSecond, burst = limits.rateLimitBurst } = options
  if (!(requestsPerSecond > 0 && burst >= 1)) throw new SipUsageError('RATE_LIMIT_INVALID')
  return new SourceRateLimit({ requestsPerSecond, burst, sourcesMax: limits.rateLimitedSourcesMax })
}
