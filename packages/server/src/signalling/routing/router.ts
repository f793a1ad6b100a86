/**
 * Asks each kind of route in turn. Pure.
 */
import type { Route, RouteType, RoutingFacts } from './route'
import { extensionRoute } from './types/extension'

/** The kinds of route, in the order in which they are asked. */
export const routeTypes: readonly RouteType[] = [extensionRoute]

/** Decides where a call goes; 404 when no kind of route knows (RFC 3261 §21.4.5). */
export function route(facts: RoutingFacts, types: readonly RouteType[] = routeTypes): Route {
  for (const type of types) {
    const found = type.route(facts)
    if (found) return found
  }
  return { kind: 'reject', status: 404, why: facts.isOurDomain ? 'no such extension' : 'not a domain of this server' }
}
