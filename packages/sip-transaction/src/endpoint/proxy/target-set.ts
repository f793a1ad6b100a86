/**
 * The targets of a proxied request: none is tried twice (RFC 3261 §16.5), and of the flows of one device one at a time, the
 * next when that has failed (RFC 5626 §7).
 */
import { newTargets, type ReadTarget, targetKey } from './proxy-targets'

/** Statuses that say that the flow failed and not the device: 430, and 408 for one that came to nothing in silence. */
const flowFailures: ReadonlySet<number> = new Set([408, 430])

/** The targets of one proxied request, and what of them is not to be tried now. */
export class TargetSet {
  private readonly known = new Set<string>()
  /** By device, its flows that are not being tried; a device is known from its first flow on until its last has failed. */
  private byInstance: Map<string, ReadTarget[]> | undefined

  /** @param known targets that are being tried, when there was no set yet */
  constructor(known: readonly ReadTarget[] = []) {
    for (const target of known) this.known.add(targetKey(target))
  }

  /** Those of them that may be tried: none twice, and no further flows of a device of which one is being tried. */
  add(targets: readonly ReadTarget[]): readonly ReadTarget[] {
    const fresh = newTargets(targets, this.known)
    if (!fresh.some(({ given }) => given.instance !== undefined)) return fresh
    this.byInstance ??= new Map()
    const free: ReadTarget[] = []
    for (const target of fresh) {
      const { instance } = target.given
      const spares = instance === undefined ? undefined : this.byInstance.get(instance)
      if (spares !== undefined) spares.push(target)
      else {
        if (instance !== undefined) this.byInstance.set(instance, [])
        free.push(target)
      }
    }
    return free
  }

  /** The flow to be tried in place of one that has failed; undefined when there is none, or the device itself answered. */
  next(
    { given: { instance } }: ReadTarget,
    status: number,
    reason: 'status' | 'timeout' | 'transport',
  ): ReadTarget | undefined {
    if (instance === undefined || (reason === 'status' && !flowFailures.has(status))) return undefined
    const spare = this.byInstance?.get(instance)?.shift()
    if (spare === undefined) this.byInstance?.delete(instance)
    return spare
  }
}
