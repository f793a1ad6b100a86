/**
 * What routing is told and what it decides. Routing is pure: everything that has to be read is read before, and what
 * comes out is data for signalling to act on.
 */

/** Facts read for one call before it is routed. */
export interface RoutingFacts {
  /** The extension of whoever calls. */
  readonly caller: string
  /** The user part or telephone number that was dialled; `undefined` when the request names nobody. */
  readonly dialled: string | undefined
  /** True when the host that was dialled is this server. */
  readonly isOurDomain: boolean
  /** The extension of that name, if there is one, and how many phones are registered for it. */
  readonly extension: { readonly name: string; readonly registeredPhones: number } | undefined
}

/** Where a call goes. Other kinds of route will be other members. */
export type Route =
  | { readonly kind: 'extension'; readonly extension: string }
  | { readonly kind: 'reject'; readonly status: number; readonly why: string }

/** One kind of route: decides, or leaves the decision to the next kind. */
export interface RouteType {
  readonly name: string
  route(facts: RoutingFacts): Route | undefined
}
