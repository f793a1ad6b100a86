/**
 * The copy of a request that a proxy sends on: RFC 3261 §16.6, RFC 5393 §5.3.3. What is not touched is the original, byte
 * for byte.
 */
import { type HeaderInit, NameAddr, type SipRequest, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'

/** Max-Forwards of a request that has none (§16.6 step 3). */
const maxForwardsDefault = 70

/** What a proxy changes, but for the Via. */
export interface ForwardPlan {
  /** The new Request-URI; undefined when it stays. */
  readonly uri: Uri | undefined
  /** So many elements of Route are taken from the top: those that name us. */
  readonly ownRoutes: number
  /** All of Route, when more than that changes. */
  readonly routes: readonly string[] | undefined
  /** The next hop (step 7). */
  readonly nextHop: Uri
}

/** Headers that a user changes. */
export interface HeaderEdits {
  readonly remove?: readonly string[] | undefined
  readonly set?: readonly HeaderInit[] | undefined
  readonly add?: readonly HeaderInit[] | undefined
}

/**
 * §16.6 steps 2, 6 and 7: the Request-URI, the Route and the next hop of one target.
 * @param base the Request-URI after what a strict router has done to it is undone; undefined when it is the request's
 * @param ownRoutes elements of Route that name us
 * @param routes what the target brings along, nearest hop first
 */
export function planForward(
  request: SipRequest,
  uri: Uri,
  ownRoutes: number,
  routes: readonly NameAddr[],
  lastRouteIsTarget: boolean,
): ForwardPlan {
  const isSame = uri === request.uri
  const rest = request.has('Route') ? request.routes.slice(ownRoutes) : noRoutes
  const left = lastRouteIsTarget ? rest.slice(0, -1) : rest
  const first = routes[0] ?? left[0]
  if (first === undefined) {
    return { uri: isSame ? undefined : uri, ownRoutes, routes: rest.length > 0 ? [] : undefined, nextHop: uri }
  }
  if (first.uri instanceof SipUri && first.uri.isLooseRouter) {
    const isRewritten = routes.length > 0 || lastRouteIsTarget
    const written = isRewritten ? [...routes, ...left].map(String) : undefined
    return { uri: isSame ? undefined : uri, ownRoutes, routes: written, nextHop: first.uri }
  }
  // A strict router wants to be the Request-URI, and the real one at the end of Route.
  const written = [...routes, ...left].slice(1).map(String)
  return { uri: first.uri, ownRoutes, routes: [...written, NameAddr.of({ uri }).toString()], nextHop: first.uri }
}

const noRoutes: readonly NameAddr[] = []

/** Makes the changes, in their order. */
export function editHeaders(edit: ReturnType<(SipRequest | SipResponse)['edit']>, edits: HeaderEdits): void {
  for (const name of edits.remove ?? []) edit.remove(name)
  for (const [name, value] of edits.set ?? []) edit.set(name, value)
  for (const [name, value] of edits.add ?? []) edit.append(name, value)
}

/** What is added in front. */
export interface ForwardHeaders {
  readonly via: string
  /** Record-Route values, the outermost first. */
  readonly recordRoutes: readonly string[]
  /** Undefined when Max-Breadth is to stay as it is. */
  readonly breadth: number | undefined
  readonly edits: HeaderEdits | undefined
  readonly headers: readonly HeaderInit[] | undefined
  /** A value for Path. */
  readonly path: string | undefined
}

/** Makes the copy. */
export function forwardRequest(request: SipRequest, plan: ForwardPlan, headers: ForwardHeaders): SipRequest {
  const edit = request.edit()
  const maxForwards = request.maxForwards
  if (plan.uri !== undefined) edit.setUri(plan.uri)
  edit.set('Max-Forwards', maxForwards === undefined ? maxForwardsDefault : maxForwards - 1)
  if (headers.breadth !== undefined) edit.set('Max-Breadth', headers.breadth)
  if (plan.routes !== undefined) {
    edit.remove('Route')
    for (const route of plan.routes) edit.append('Route', route)
  } else for (let index = 0; index < plan.ownRoutes; index += 1) edit.removeFirst('Route')
  if (headers.edits !== undefined) editHeaders(edit, headers.edits)
  for (const [name, value] of headers.headers ?? []) edit.append(name, value)
  if (headers.path !== undefined) edit.prepend('Path', headers.path)
  for (let index = headers.recordRoutes.length - 1; index >= 0; index -= 1) {
    edit.prepend('Record-Route', headers.recordRoutes[index]!)
  }
  edit.prepend('Via', headers.via)
  return edit.build()
}
