/** The targets of a proxied request, as its user or a redirection gives them: RFC 3261 §16.5, §16.7 step 4. */
import { type HeaderInit, type NameAddr, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'
import { SipUsageError } from '../../errors'
import type { ExplicitDestination } from '../options'
import { readAddress, readUri } from '../requests/outgoing'
import type { MoreTargets, ProxyTarget, ProxyTargets } from './proxy-options'

/** A target, read. */
export interface ReadTarget {
  readonly uri: Uri
  readonly q: number
  readonly routes: readonly NameAddr[]
  readonly nextHop: Uri | undefined
  readonly destination: ExplicitDestination | undefined
  readonly headers: readonly HeaderInit[] | undefined
  /** As the user gave it. */
  readonly given: ProxyTarget
}

const noRoutes: readonly NameAddr[] = []

/**
 * Reads targets.
 * @throws SipUsageError TARGET_INVALID
 */
export function readTargets(given: MoreTargets): ReadTarget[] {
  if (given === undefined) return []
  return isList(given) ? given.map(readTarget) : [readTarget(given)]
}

function isList(given: ProxyTargets): given is readonly (ProxyTarget | string | Uri)[] {
  return Array.isArray(given)
}

function readTarget(given: ProxyTarget | string | Uri): ReadTarget {
  if (typeof given === 'string' || !('uri' in given)) {
    const uri = readUri(given, 'target')
    return {
      uri,
      q: 1,
      routes: noRoutes,
      nextHop: undefined,
      destination: undefined,
      headers: undefined,
      given: { uri },
    }
  }
  const { q = 1, routes, nextHop, destination, headers, flowId } = given
  if (!(q >= 0 && q <= 1)) throw new SipUsageError('TARGET_INVALID', 'q')
  return {
    uri: readUri(given.uri, 'target'),
    q,
    routes: routes === undefined || routes.length === 0 ? noRoutes : routes.map((route) => readAddress(route, 'Route')),
    nextHop: nextHop === undefined ? undefined : readUri(nextHop, 'next hop'),
    destination: destination ?? (flowId === undefined ? undefined : { flowId }),
    headers,
    given,
  }
}

/** The targets that a target set does not have yet (§16.5: none twice). `known` is added to. */
export function newTargets(targets: readonly ReadTarget[], known: Set<string>): readonly ReadTarget[] {
  return targets.filter((target) => {
    const key = targetKey(target)
    if (known.has(key)) return false
    known.add(key)
    return true
  })
}

/** What makes two targets the same place. */
export function targetKey({ uri, nextHop, destination, routes }: ReadTarget): string {
  // As written: another spelling of the same place costs one branch more, comparing all of them would cost each of them.
  const text = uri.toString()
  const way = destination === undefined ? '' : JSON.stringify(destination)
  return routes.length === 0 && way === '' && nextHop === undefined
    ? text
    : `${text} ${way} ${nextHop} ${routes.join()}`
}

/**
 * The contacts of a redirection, the preferred first. What a proxy may not follow is left out: anything but SIP, and SIP
 * where the request was for a SIPS URI (§16.5).
 */
export function redirectTargets(response: SipResponse, isSips: boolean): ReadTarget[] {
  const contacts = response.decode('contacts')
  if (!contacts.ok) return []
  const targets: ReadTarget[] = []
  for (const contact of contacts.value) {
    const { uri, q = 1 } = contact
    if (!(uri instanceof SipUri) || (isSips && uri.scheme !== 'sips')) continue
    const clean = requestUri(uri)
    targets.push({
      uri: clean,
      q,
      routes: noRoutes,
      nextHop: undefined,
      destination: undefined,
      headers: undefined,
      given: { uri: clean, q },
    })
  }
  return targets
}

/** Without what no Request-URI may have (§19.1.1): headers and method. */
function requestUri(uri: SipUri): SipUri {
  if (!uri.hasHeaders && !uri.params.has('method')) return uri
  const params = [...uri.params].filter(([name]) => name !== 'method')
  return uri.with({ headers: new Map(), params: new Map(params) })
}
