import { describe, expect, it } from 'vitest'
import {
  ReliableClient,
  type ReliableClientInput,
  type ReliableClientState,
  ReliableServer,
  type ReliableServerEffect,
  type ReliableServerInput,
  type ReliableServerState,
  reliableClientDefinition,
  reliableQueueMax,
  reliableServerDefinition,
} from './reliable-provisional'

type Effects = ReliableServerEffect<string>[]

/** Gives one input of the table to a server, the way its methods do; returns the effects. */
function give(server: ReliableServer<string>, input: ReliableServerInput, nowMs: number): Effects {
  const out: Effects = []
  switch (input) {
    case 'send-plain':
    case 'send-described':
      server.send(input, input === 'send-described', nowMs, out)
      break
    case 'prack':
      server.prack(rseqOf(server), nowMs, out)
      break
    case 'stray-prack':
      server.prack(undefined, nowMs, out)
      break
    case 'success':
    case 'failure':
      server.final(input === 'success', out)
      break
    case 'success-later':
      server.send('later', true, nowMs, [])
      server.final(true, out)
      break
    case 'send-last':
      break
    case 'repeat-due':
      server.expire(server.deadline(), out)
      break
    case 'give-up-due':
      server.expire(nowMs + 64 * 500, out)
      break
    case 'close':
      server.close()
      break
  }
  return out
}

/** The responses of these tests begin with RSeq 7, one at a time. */
function rseqOf(_server: ReliableServer<string>): number {
  return 7
}

const paths: Readonly<Record<Exclude<ReliableServerState, 'terminated'>, readonly ReliableServerInput[]>> = {
  idle: [],
  waiting: ['send-plain'],
  'waiting-described': ['send-described'],
  draining: ['send-plain', 'success-later'],
  holding: ['send-described', 'success'],
  answered: ['send-plain', 'success'],
}

function serverIn(state: Exclude<ReliableServerState, 'terminated'>): ReliableServer<string> {
  const server = new ReliableServer<string>(7, 500)
  for (const input of paths[state]) give(server, input, 0)
  expect(server.state).toBe(state)
  return server
}

const told: ReadonlySet<string> = new Set([
  'transmit',
  'accept-prack',
  'refuse-prack',
  'send-final',
  'repeat',
  'give-up',
])

describe('ReliableServer', () => {
  it('does in every state what its table says', () => {
    for (const state of Object.keys(paths) as (keyof typeof paths)[]) {
      for (const input of Object.keys(reliableServerDefinition.inputs) as ReliableServerInput[]) {
        const decision = reliableServerDefinition.table[state][input]
        // The class asks the table only for what can be: nothing waits, so nothing is due and no PRACK matches.
        if (decision === 'impossible') continue
        // The queue moves by itself when a PRACK comes: a test of its own, below.
        if (state === 'draining' && ['prack', 'send-described', 'send-last'].includes(input)) continue
        const server = serverIn(state)
        const effects = give(server, input, 0).map(({ kind }) => kind)
        const expected = typeof decision === 'string' ? [] : decision.run.filter((action) => told.has(action))
        expect(effects, `${state} ${input}`).toEqual(expected)
        expect(server.state, `${state} ${input}`).toBe(typeof decision === 'string' ? state : decision.next)
      }
    }
  })

  it('RFC 3262 §3: repeats a response from T1 on, the interval doubled, and gives up after 64*T1', () => {
    const server = serverIn('waiting')
    const times: number[] = []
    for (let nowMs = server.deadline(); nowMs !== Number.POSITIVE_INFINITY; nowMs = server.deadline()) {
      const out: Effects = []
      server.expire(nowMs, out)
      times.push(nowMs)
      if (out[0]?.kind === 'give-up') break
      expect(out).toEqual([{ kind: 'repeat' }])
    }
    expect(times).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500, 32_000])
    expect([server.state, server.deadline()]).toEqual(['answered', Number.POSITIVE_INFINITY])
  })

  it('RFC 3262 §3: the next response waits for the PRACK of the one before, and is numbered one higher', () => {
    const server = new ReliableServer<string>(7, 500)
    const out: Effects = []
    for (const payload of ['a', 'b', 'c']) server.send(payload, false, 0, out)
    server.prack(8, 0, out)
    server.prack(7, 10, out)
    server.prack(7, 20, out)
    server.prack(8, 30, out)
    expect(out).toEqual([
      { kind: 'transmit', rseq: 7, payload: 'a' },
      { kind: 'refuse-prack' },
      { kind: 'accept-prack' },
      { kind: 'transmit', rseq: 8, payload: 'b' },
      { kind: 'refuse-prack' },
      { kind: 'accept-prack' },
      { kind: 'transmit', rseq: 9, payload: 'c' },
    ])
    expect(server.deadline()).toBe(530)
  })

  it('RFC 3262 §3: a 2xx waits for the PRACK of a description, and for no other one', () => {
    const described = serverIn('waiting-described')
    expect(give(described, 'success', 0)).toEqual([])
    expect(give(described, 'prack', 0)).toEqual([{ kind: 'accept-prack' }, { kind: 'send-final' }])
    const plain = serverIn('waiting')
    expect(give(plain, 'success', 0)).toEqual([{ kind: 'send-final' }])
    expect(plain.deadline()).toBe(Number.POSITIVE_INFINITY)
    expect(give(plain, 'prack', 0)).toEqual([{ kind: 'accept-prack' }])
    expect(give(plain, 'prack', 0)).toEqual([{ kind: 'refuse-prack' }])
  })

  it('RFC 3262 §3: a 2xx waits for descriptions in the queue too, and only for those', () => {
    const server = new ReliableServer<string>(7, 500)
    const out: Effects = []
    for (const [payload, isDescribed] of [
      ['a', false],
      ['b', true],
      ['c', false],
      ['d', true],
    ] as const)
      server.send(payload, isDescribed, 0, out)
    server.final(true, out)
    expect([server.state, out.length]).toEqual(['draining', 1])
    for (const rseq of [7, 8, 9]) server.prack(rseq, 0, out)
    expect(out.slice(1)).toEqual([
      { kind: 'accept-prack' },
      { kind: 'transmit', rseq: 8, payload: 'b' },
      { kind: 'accept-prack' },
      { kind: 'transmit', rseq: 9, payload: 'd' },
      { kind: 'accept-prack' },
      { kind: 'send-final' },
    ])
    expect(server.state).toBe('answered')
  })

  it('keeps a bounded queue, and drops it with the final response', () => {
    const server = serverIn('waiting')
    const out: Effects = []
    for (let count = 0; count <= reliableQueueMax; count += 1) server.send('x', false, 0, out)
    expect(out).toEqual([{ kind: 'overflow' }])
    expect(give(server, 'failure', 0)).toEqual([{ kind: 'send-final' }])
    expect(give(server, 'prack', 0)).toEqual([{ kind: 'accept-prack' }])
  })
})

const clientPaths: Readonly<Record<Exclude<ReliableClientState, 'terminated'>, readonly ReliableClientInput[]>> = {
  fresh: [],
  counting: ['in-order'],
  over: ['in-order', 'final'],
}

describe('ReliableClient', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(clientPaths) as [keyof typeof clientPaths, ReliableClientInput[]][]) {
      for (const input of Object.keys(reliableClientDefinition.inputs) as ReliableClientInput[]) {
        const client = new ReliableClient()
        for (const each of path) client.handle(each)
        const decision = reliableClientDefinition.table[state][input]
        const action = client.handle(input)
        if (typeof decision === 'string') expect([client.state, action]).toEqual([state, 'discard'])
        else expect([client.state, action]).toEqual([decision.next, decision.run[0] ?? 'discard'])
      }
    }
  })

  it('RFC 3262 §4: acknowledges each response once and in order, whatever the network does', () => {
    const client = new ReliableClient()
    const heard = [100, 100, 102, 101, 103, 102, 101, 100, 103].map((rseq) => client.heard(rseq))
    expect(heard.map((action) => action === 'acknowledge')).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
      false,
      false,
      true,
    ])
    client.handle('final')
    expect(client.heard(104)).toBe('discard')
  })
})
