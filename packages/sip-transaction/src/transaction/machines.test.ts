import { responseTo, type SipMessage, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import type { Effect } from '../effects'
import type { Decision, MachineDefinition } from '../fsm/definition'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'
import { SeededRandom } from '../testing/seeded-random'
import { deriveTimers } from '../timers/timer-settings'
import { TimerWheel } from '../timers/timer-wheel'
import type { TransactionContext } from './context'
import { transactionMachines } from './machines'
import { TransactionStore } from './store'
import { Transaction, type TransactionKind } from './transaction'

const KINDS = Object.keys(transactionMachines) as TransactionKind[]

/** States of a server in which the TU has all the time it wants. */
const WAITS_FOR_TU = new Set(['invite-server proceeding'])

type Cell = Decision<string, string>

function tableOf(kind: TransactionKind): Readonly<Record<string, Readonly<Record<string, Cell>>>> {
  const definition: MachineDefinition<string, string, string> = transactionMachines[kind].definition
  return definition.table
}

interface Rig {
  readonly transaction: Transaction
  readonly context: TransactionContext
  readonly effects: Effect[]
  readonly cancels: number[]
}

function rig(kind: TransactionKind, isReliable: boolean): Rig {
  const request: SipRequest = kind.startsWith('invite') ? sampleRequest() : sampleRequest({ method: 'OPTIONS' })
  const flow = sampleFlow({ isReliable })
  const effects: Effect[] = []
  const cancels: number[] = []
  const context: TransactionContext = {
    timers: deriveTimers(),
    wheel: new TimerWheel(),
    store: new TransactionStore(),
    random: new SeededRandom(7),
    sendCancel: (invite) => cancels.push(invite.id),
    out: effects,
    nowMs: 0,
    message: request,
    flow,
  }
  const isServer = kind.endsWith('server')
  const transaction = new Transaction(
    {
      id: 1,
      kind,
      key: 'key',
      request,
      destination: { kind: 'flow', flow },
      flow: isServer ? flow : undefined,
      isReliable,
      isInternal: false,
    },
    0,
  )
  context.store.add(transaction)
  transactionMachines[kind].start(transaction, context)
  return { transaction, context, effects, cancels }
}

/** The message that comes with an input. */
function messageFor(kind: TransactionKind, input: string): SipMessage | undefined {
  const request = kind.startsWith('invite') ? sampleRequest() : sampleRequest({ method: 'OPTIONS' })
  const statuses: Readonly<Record<string, number>> = {
    provisional: 180,
    success: 200,
    failure: 486,
    final: 200,
    tuProvisional: 180,
    tuTrying: 100,
    tuSuccess: 200,
    tuFailure: 486,
    tuFinal: 200,
    tuTimeout: 408,
  }
  const status = statuses[input]
  if (status !== undefined) return responseTo(request, status, { toTag: 'peer' })
  return ['request', 'ack', 'cancel'].includes(input) ? request : undefined
}

function give({ transaction, context }: Rig, kind: TransactionKind, input: string) {
  context.message = messageFor(kind, input)
  return transactionMachines[kind].handle(transaction, input, context)
}

/** The inputs that lead from the start to each state, found breadth first through the table. */
function pathsOf(kind: TransactionKind): Map<string, string[]> {
  const table = tableOf(kind)
  const start = transactionMachines[kind].definition.start.next
  const paths = new Map<string, string[]>([[start, []]])
  for (const [state, path] of paths) {
    for (const [input, cell] of Object.entries(table[state] ?? {})) {
      if (typeof cell !== 'string' && !paths.has(cell.next)) paths.set(cell.next, [...path, input])
    }
  }
  return paths
}

const PAIRS = KINDS.flatMap((kind) =>
  Object.entries(tableOf(kind)).flatMap(([state, row]) => Object.keys(row).map((input) => ({ kind, state, input }))),
)

describe('transaction machines', () => {
  it.each(PAIRS)('$kind: $input in $state does what the table says and leaks nothing', ({ kind, state, input }) => {
    const cell = tableOf(kind)[state]?.[input]
    const r = rig(kind, false)
    for (const step of pathsOf(kind).get(state) ?? []) give(r, kind, step)
    expect(r.transaction.state).toBe(state)
    r.effects.length = 0
    const outcome = give(r, kind, input)
    if (cell === 'ignore' || cell === 'impossible') {
      expect(outcome).toBe(cell === 'ignore' ? 'ignored' : 'impossible')
      expect(r.transaction.state).toBe(state)
      expect(r.effects).toEqual([])
      return
    }
    expect(outcome).toBe('stepped')
    expect(r.transaction.state).toBe(cell?.next)
    checkInvariants(r, kind)
  })

  it.each(PAIRS)('$kind, reliable: $input in $state never retransmits and never lingers', ({ kind, state, input }) => {
    const r = rig(kind, true)
    for (const step of pathsOf(kind).get(state) ?? []) give(r, kind, step)
    // D, I, J and K are zero: the states that exist only for them are left at once.
    if (r.transaction.state !== state) return
    give(r, kind, input)
    checkInvariants(r, kind)
    for (const timer of ['timerA', 'timerE', 'timerG']) expect(r.transaction.retryTimer?.kind).not.toBe(timer)
    expect(['timerD', 'timerI', 'timerJ', 'timerK']).not.toContain(r.transaction.limitTimer?.kind)
  })
})

function checkInvariants({ transaction, context, effects }: Rig, kind: TransactionKind): void {
  const isGone = transaction.state === 'terminated'
  expect(context.store.counts.total).toBe(isGone ? 0 : 1)
  expect(effects.filter((effect) => effect.kind === 'terminated')).toHaveLength(isGone ? 1 : 0)
  if (isGone) {
    expect(effects.at(-1)?.kind).toBe('terminated')
    expect(context.wheel.size).toBe(0)
    expect(context.store.counts.bytes).toBe(0)
    expect(transaction.request).toBeUndefined()
    return
  }
  // Whatever is alive has something that ends it.
  if (!WAITS_FOR_TU.has(`${kind} ${transaction.state}`)) expect(context.wheel.size).toBeGreaterThan(0)
  const isOver = ['completed', 'accepted', 'confirmed'].includes(transaction.state)
  expect(transaction.isFinished).toBe(isOver)
  expect(transaction.request === undefined).toBe(isOver)
}
