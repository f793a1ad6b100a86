/** Header changes put together, and carried over to a bridge, which passes headers by a policy instead. Pure. */
import type { HeaderPolicy } from '../b2bua/header-policy'
import type { HeaderChanges } from '../endpoint/proxy/proxy-options'

/** Nothing to be changed. */
export const noChanges: HeaderChanges = Object.freeze({})

/**
 * One set of changes out of several, in their order. They should not be about the same headers: what one of them adds,
 * another one does not take away again.
 */
export function mergeChanges(...parts: readonly (HeaderChanges | undefined)[]): HeaderChanges {
  return {
    remove: parts.flatMap((part) => part?.remove ?? []),
    set: parts.flatMap((part) => part?.set ?? []),
    add: parts.flatMap((part) => part?.add ?? []),
  }
}

/**
 * The changes as a header policy of a bridge, on top of another one: what they remove does not pass, and what they set or
 * add stands in place of what would have passed under that name.
 */
export function bridgePolicy(changes: HeaderChanges, base: HeaderPolicy = {}): HeaderPolicy {
  return {
    pass: base.pass ?? [],
    drop: [...(base.drop ?? []), ...(changes.remove ?? [])],
    set: [...(base.set ?? []), ...(changes.set ?? []), ...(changes.add ?? [])],
  }
}
