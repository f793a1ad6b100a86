/** What becomes of a proxied request as a whole: the response context of RFC 3261 §16.7, §16.8 and §16.10. A table. */
import { ignore, type MachineDefinition, step } from '../fsm/definition'

/** The states of a response context. */
export type ContextState = 'forking' | 'closing' | 'answered' | 'terminated'

/** What can happen to it. */
export type ContextStep = 'provisional' | 'success' | 'failure' | 'decline' | 'cancel' | 'exhausted'

/** What it does. */
export type ContextAction =
  | 'forward'
  | 'forward-further'
  | 'store'
  | 'ask'
  | 'drop-waiting'
  | 'cancel-pending'
  | 'answer'
  | 'end'

/** The table of a response context. */
export const proxyContextDefinition: MachineDefinition<ContextState, ContextStep, ContextAction> = {
  name: 'proxy-context',
  title: 'Response context of a proxy',
  source:
    'RFC 3261 §16.7, §16.8 and §16.10. A 6xx ends the search but not the wait: a 2xx of another branch still wins. Each ' +
    '2xx to an INVITE goes back, whenever it comes; of those to another request only the first.',
  states: {
    forking: 'Branches are tried; no final response has gone back.',
    closing: 'Cancelled, or declined by a 6xx: no branch is added, and those that were tried end.',
    answered: 'A 2xx has gone back; the other branches end.',
    terminated: 'Its final response has gone back and every branch has ended.',
  },
  inputs: {
    provisional: 'A branch has a provisional response, not 100.',
    success: 'A branch has a 2xx.',
    failure: 'A branch has failed: 300–599, no answer in time, nobody to be reached.',
    decline: 'A branch has a 6xx.',
    cancel: 'The caller has cancelled, or whoever proxies has.',
    exhausted: 'No branch is left to be waited for.',
  },
  actions: {
    forward: 'Send the response back.',
    'forward-further': 'Send it back if it belongs to an INVITE.',
    store: 'Keep it if it is the best response so far.',
    ask: 'Ask for further targets, if somebody gives any.',
    'drop-waiting': 'Forget the targets that have not been tried.',
    'cancel-pending': 'Cancel every branch that has no final response.',
    answer: 'Send the best response back, or 487, 480 or 440 when there is none.',
    end: 'Let go of everything.',
  },
  start: step('forking'),
  final: 'terminated',
  table: {
    forking: {
      provisional: step('forking', 'forward'),
      success: step('answered', 'forward', 'drop-waiting', 'cancel-pending'),
      failure: step('forking', 'store', 'ask'),
      decline: step('closing', 'store', 'drop-waiting', 'cancel-pending'),
      cancel: step('closing', 'drop-waiting', 'cancel-pending'),
      exhausted: step('terminated', 'answer', 'end'),
    },
    closing: {
      provisional: step('closing', 'forward'),
      success: step('answered', 'forward', 'cancel-pending'),
      failure: step('closing', 'store'),
      decline: step('closing', 'store'),
      cancel: ignore,
      exhausted: step('terminated', 'answer', 'end'),
    },
    answered: {
      provisional: ignore,
      success: step('answered', 'forward-further'),
      failure: ignore,
      decline: ignore,
      cancel: ignore,
      exhausted: step('terminated', 'end'),
    },
  },
}
