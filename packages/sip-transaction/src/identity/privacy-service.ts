/**
 * A privacy service: what a server that offers one changes in a request for each level of privacy (RFC 3323 §5, RFC 3325
 * §9.3, RFC 7044 §10.1.2). A proxy can give less of it than a back-to-back agent, for dialogs are not its own. Pure.
 */
import type { HeaderInit, NameAddr, SipRequest } from '@carillon/sip-parser'
import type { HeaderChanges } from '../endpoint/proxy/proxy-options'
import { anonymousAddress, isAnonymous } from './anonymous'
import { hidePrivate, readHistory } from './history-entries'
import { type PrivacyRequest, type PrivacyValue, privacyOf, writePrivacy } from './privacy-request'

/** What a privacy service can do. */
export interface PrivacyServiceOptions {
  /**
   * `bridge`: both dialogs are its own, so it writes From, Contact, Via and Record-Route itself; `proxy`: it only takes
   * headers out.
   */
  readonly as: 'bridge' | 'proxy'
  /** True when media runs through a relay, so that descriptions name no host of the other side (`session`). */
  readonly relaysMedia?: boolean
  /** True when the request stays in the trust domain: `id` and `history` are then left to its edge. */
  readonly isInside?: boolean
  /** The domains whose entries of History-Info are hidden; all when absent. */
  readonly domains?: readonly string[]
}

/** What becomes of a request: to be refused with 500, or changed. */
export type PrivacyOutcome =
  | {
      readonly ok: false
      readonly status: 500
      /** What cannot be given. */
      readonly missing: readonly string[]
    }
  | {
      readonly ok: true
      readonly changes: HeaderChanges
      /** For the options of `request.bridge`: nobody as From, hosts of our own. Empty where nothing is to be hidden. */
      readonly bridge: { readonly from?: NameAddr; readonly hideTopology?: boolean }
      /** The levels that are given by that. */
      readonly given: readonly PrivacyValue[]
      /** What stays in Privacy, for those further on. */
      readonly left: readonly string[]
    }

/** Headers by which a user's device names him, and which nothing depends on (§4.1, §5.3). */
const userHeaders = [
  'Subject',
  'Call-Info',
  'Organization',
  'User-Agent',
  'Reply-To',
  'In-Reply-To',
  'Referred-By',
  'P-Preferred-Identity',
  'Remote-Party-ID',
]

type Level = Exclude<PrivacyValue, 'none' | 'critical'>

/**
 * What a privacy service does about a request. Levels that it gives leave the Privacy header, and so does `Proxy-Require:
 * privacy` (§5). With `critical`, a level that it does not know or cannot give refuses the request.
 */
export function applyPrivacy(request: SipRequest, options: PrivacyServiceOptions): PrivacyOutcome {
  const wanted = privacyOf(request)
  const given = [...wanted.levels].filter((level) => canGive(level, request, options))
  const left = [...wanted.levels].filter((level) => !given.includes(level))
  // At the edge of a trust domain these two are given: inside of it nothing is missing yet.
  const missing = [...left.filter((level) => !isForEdge(level, options)), ...wanted.unknown]
  if (wanted.isCritical && missing.length > 0) return { ok: false, status: 500, missing }
  const bridge = options.as === 'bridge' ? bridgeOptions(wanted) : {}
  const changes = headerChanges(request, wanted, given, [...left, ...wanted.unknown], options)
  return { ok: true, changes, bridge, given, left: [...left, ...wanted.unknown] }
}

function isForEdge(level: Level, { isInside = false }: PrivacyServiceOptions): boolean {
  return isInside && (level === 'id' || level === 'history')
}

function canGive(level: Level, request: SipRequest, options: PrivacyServiceOptions): boolean {
  if (isForEdge(level, options)) return false
  const isBridge = options.as === 'bridge'
  switch (level) {
    case 'user':
      return isBridge || isAnonymous(request.from.uri)
    case 'header':
      return isBridge
    case 'session':
      return options.relaysMedia === true
    case 'id':
      return true
    case 'history':
      // Of one that cannot be read nothing can be hidden, but it can be taken out.
      return true
  }
}

function bridgeOptions({ levels }: PrivacyRequest): { from?: NameAddr; hideTopology?: boolean } {
  return {
    ...(levels.has('user') ? { from: anonymousAddress } : {}),
    ...(levels.has('header') || levels.has('user') ? { hideTopology: true } : {}),
  }
}

function headerChanges(
  request: SipRequest,
  { levels, isCritical, isNone }: PrivacyRequest,
  given: readonly Level[],
  left: readonly string[],
  options: PrivacyServiceOptions,
): HeaderChanges {
  const remove: string[] = []
  const add: HeaderInit[] = []
  // What a user's headers say is taken out even where his From has to stay: less is shown than without.
  if (levels.has('user')) remove.push(...userHeaders.filter((name) => request.has(name)))
  if ((given.includes('id') || given.includes('user')) && options.isInside !== true) remove.push('P-Asserted-Identity')
  const isWhole = given.includes('history') || (given.includes('header') && options.isInside !== true)
  if (isWhole && request.has('History-Info')) {
    remove.push('History-Info')
    const entries = readHistory(request) ?? []
    const hidden = hidePrivate(entries, { isWhole, domains: options.domains })
    add.push(...hidden.map((entry): HeaderInit => ['History-Info', entry.toString()]))
  }
  if (given.length > 0) {
    remove.push('Privacy')
    if (left.length > 0) add.push(['Privacy', writePrivacy(isCritical ? [...left, 'critical'] : left)])
  }
  const isDone = !isNone && left.length === 0
  if (isDone) addWithoutPrivacy(request, remove, add)
  return { remove, add }
}

/** Nobody further on has to offer privacy. */
function addWithoutPrivacy(request: SipRequest, remove: string[], add: HeaderInit[]): void {
  const required = request.decode('proxyRequire')
  if (!required.ok || !required.value.some(isPrivacyTag)) return
  remove.push('Proxy-Require')
  const others = required.value.filter((tag) => !isPrivacyTag(tag))
  if (others.length > 0) add.push(['Proxy-Require', others.join(', ')])
}

function isPrivacyTag(tag: string): boolean {
  return tag.toLowerCase() === 'privacy'
}
