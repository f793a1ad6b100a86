/** What one stack can do beyond RFC 3261, as its options say: RFC 3262 (100rel), RFC 4028 (timer), RFC 3261 §20.37. */
import { type SessionTimerPolicy, sessionSecondsMin } from '../dialog/session-interval'
import { SipUsageError } from '../errors'
import type { ReliablePolicy, SessionTimerOptions, SipStackOptions } from './options'

/** What requests and responses of a stack say of it. */
export interface Capabilities {
  readonly allow: () => string
  /** Option tags for Supported. */
  readonly supported: readonly string[]
  /** INFO packages that calls take (RFC 6086). */
  readonly infoPackages: readonly string[]
  readonly server: string | undefined
  readonly reliable: ReliablePolicy
  /** Undefined when there are no session timers. */
  readonly session: SessionTimerPolicy | undefined
}

/**
 * Reads the options.
 * @throws SipUsageError SESSION_TIMERS_INVALID
 */
export function capabilitiesOf(options: SipStackOptions, allow: () => string): Capabilities {
  const reliable = options.reliableProvisional ?? 'supported'
  const session = options.sessionTimers === false ? undefined : sessionPolicy(options.sessionTimers ?? {})
  const own = [...(reliable === 'never' ? [] : ['100rel']), ...(session === undefined ? [] : ['timer']), 'replaces']
  const more = options.callMethods ?? []
  return {
    allow: more.length === 0 ? allow : () => [...new Set([...allow().split(', '), ...more])].join(', '),
    infoPackages: options.infoPackages ?? [],
    supported: [...new Set([...own, ...(options.supported ?? [])])],
    server: options.userAgent,
    reliable,
    session,
  }
}

function sessionPolicy(options: SessionTimerOptions): SessionTimerPolicy {
  const { expiresSeconds = 1_800, minSeconds = sessionSecondsMin, offer = true, refresher = 'uac' } = options
  const isWhole = Number.isSafeInteger(expiresSeconds) && Number.isSafeInteger(minSeconds)
  if (!isWhole || minSeconds < sessionSecondsMin || expiresSeconds < minSeconds || expiresSeconds > 2 ** 31)
    throw new SipUsageError('SESSION_TIMERS_INVALID', `${minSeconds}, ${expiresSeconds}`)
  return { expiresSeconds, minSeconds, isOffered: offer, refresher }
}
