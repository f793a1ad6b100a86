/**
 * Tells requests of scanners: programs that look for open or badly guarded SIP servers. They are told by what they say
 * of themselves, so this spares work and logs, and is no defence: a scanner that lies passes. Pure.
 */
import { type SipRequest, SipUri } from '@carillon/sip-parser'

/** Names a request as a scanner's: a word for the counters and events, or undefined when it is none. */
export type ScannerPredicate = (request: SipRequest) => string | undefined

/** What a {@link ScannerFilter} looks for besides, or in place of, what it knows itself. */
export interface ScannerOptions {
  /** Further patterns for User-Agent. */
  readonly userAgents?: readonly RegExp[] | undefined
  /** A test of the user's own, asked last. */
  readonly isScanner?: ScannerPredicate | undefined
}

/** Parts of the User-Agent of well-known scanners, in lower case. */
const scannerNames = [
  'friendly-scanner',
  'friendly-request',
  'sipvicious',
  'sip-scan',
  'sipscan',
  'sundayddr',
  'pplsip',
  'sipcli',
  'vaxsipuseragent',
  'sivus',
] as const

/** Only so much of a User-Agent is looked at. */
const lookedAtMax = 256

/** Looks at one request at a time. */
export class ScannerFilter {
  constructor(private readonly options: ScannerOptions = {}) {}

  /** Why the request is a scanner's; undefined when nothing says so. A request that cannot be read says nothing. */
  judge(request: SipRequest): string | undefined {
    const agent = request.get('User-Agent')?.slice(0, lookedAtMax)
    if (agent !== undefined) {
      const lower = agent.toLowerCase()
      for (const name of scannerNames) if (lower.includes(name)) return name
      for (const pattern of this.options.userAgents ?? []) {
        // A pattern with g or y remembers where it stopped.
        pattern.lastIndex = 0
        if (pattern.test(agent)) return 'user-agent'
      }
    }
    return addressOddity(request) ?? this.options.isScanner?.(request)
  }
}

/** From and To that nobody but a scanner writes. */
function addressOddity(request: SipRequest): string | undefined {
  const [from, to] = [hostAndUser(request, 'from'), hostAndUser(request, 'to')]
  // A resolver of the DNS is nobody's registrar; it is what SIPVicious fills in for want of a name.
  if (from?.host === '1.1.1.1' && to?.host === '1.1.1.1') return 'sipvicious-address'
  if (from?.user === 'sipvicious') return 'sipvicious-address'
  // The service probe of Nmap.
  if (from?.host === 'nm' && from.user === 'nm' && to?.host === 'nm2') return 'nmap-probe'
  return undefined
}

function hostAndUser(request: SipRequest, name: 'from' | 'to'): { host: string; user: string | undefined } | undefined {
  const decoded = request.decode(name)
  if (!decoded.ok || !(decoded.value.uri instanceof SipUri)) return undefined
  const { host, user } = decoded.value.uri
  return { host, user: user?.toLowerCase() }
}
