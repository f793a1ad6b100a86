/** What the bindings of a registrar are to whoever watches them: RFC 3680 §5.2. */
import type { Binding } from '../../registrar/binding'
import type { BindingChange } from '../../registrar/binding-table'
import type { RegInfo, RegistrationContact } from './reg-info'

/**
 * The whole registration of one address of record, for `NotifierSubscription.notify`.
 * @param bindings those that are valid now, as `BindingTable.lookup` gives them
 * @param changes what has just happened to them, if anything has: each contact says why it is as it is, and those that went
 *   are told of once
 * @param nowMs on the monotonic clock
 */
export function regInfoOf(
  aor: string,
  bindings: readonly Binding[],
  changes: readonly BindingChange[],
  nowMs: number,
): RegInfo {
  const eventOf = new Map(changes.map(({ binding, event }) => [binding, event]))
  const live = new Set(bindings)
  const contacts: RegistrationContact[] = bindings.map((binding) => ({
    ...contactOf(binding),
    state: 'active',
    event: eventOf.get(binding) ?? 'registered',
    expires: Math.max(0, Math.ceil((binding.expiresAtMs - nowMs) / 1000)),
  }))
  for (const { binding, event } of changes)
    if (!live.has(binding)) contacts.push({ ...contactOf(binding), state: 'terminated', event })
  const gone = contacts.length === 0 ? 'init' : 'terminated'
  const state = bindings.length > 0 ? 'active' : gone
  return { kind: 'full', registrations: [{ id: aor, aor, state, contacts }] }
}

function contactOf({ id, uri, q, callId, cseq, instance }: Binding) {
  const named = instance === undefined ? undefined : `<${instance}>`
  return { id: String(id), uri, q, callId, cseq, instance: named }
}
