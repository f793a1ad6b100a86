import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { MachineDefinition } from '../fsm/definition'
import { drawMachine } from '../fsm/draw'
import { outgoingInviteDefinition } from '../ua/outgoing-invite'
import { registrationDefinition } from '../ua/registration'
import { inviteUsageDefinition } from './invite-usage'
import { Negotiation, type NegotiationInput, type NegotiationState, negotiationDefinition } from './negotiation'
import { reliableClientDefinition, reliableServerDefinition } from './reliable-provisional'
import { sessionTimerDefinition } from './session-timer'
import { subscriberDefinition } from './subscribe-usage'
import { notifierDefinition } from './subscribe-usage-notifier'

const folder = fileURLToPath(new URL('../../../../docs/fsm/', import.meta.url))
const definitions: readonly MachineDefinition<string, string, string>[] = [
  inviteUsageDefinition,
  outgoingInviteDefinition,
  negotiationDefinition,
  reliableServerDefinition,
  reliableClientDefinition,
  sessionTimerDefinition,
  subscriberDefinition,
  notifierDefinition,
  registrationDefinition,
]

describe('docs/fsm', () => {
  it.each(definitions)('$name.md is what the table says (CARILLON_WRITE=1 writes it)', (definition) => {
    const path = `${folder}${definition.name}.md`
    const page = drawMachine(definition)
    if (process.env.CARILLON_WRITE === '1') writeFileSync(path, page)
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(page)
  })

  it.each(definitions)('$name is named in the list of machines', ({ name }) => {
    expect(readFileSync(`${folder}README.md`, 'utf8')).toContain(`(${name}.md)`)
  })
})

describe('every machine of a dialog', () => {
  it.each(definitions)('$name decides every pair, and only with states and actions that it explains', (machine) => {
    const states = Object.keys(machine.states).filter((state) => state !== machine.final)
    expect(Object.keys(machine.table).sort()).toEqual(states.sort())
    for (const state of states) {
      const row: Readonly<Record<string, unknown>> = machine.table[state as never] ?? {}
      expect(Object.keys(row).sort(), state).toEqual(Object.keys(machine.inputs).sort())
    }
    const used = new Set<string>(machine.start.run)
    for (const row of Object.values(machine.table) as Readonly<
      Record<string, { run: string[]; next: string } | string>
    >[]) {
      for (const decision of Object.values(row)) {
        if (typeof decision === 'string') continue
        expect(Object.keys(machine.states)).toContain(decision.next)
        for (const action of decision.run) used.add(action)
      }
    }
    expect([...used].sort()).toEqual(Object.keys(machine.actions).sort())
  })

  it.each(definitions)('$name reaches every state, and ends from each of them', (machine) => {
    const next = (state: string): string[] =>
      Object.values((machine.table[state as never] ?? {}) as Record<string, { next: string } | string>).flatMap(
        (decision) => (typeof decision === 'string' ? [] : [decision.next]),
      )
    const reachable = (from: string): Set<string> => {
      const seen = new Set([from])
      for (const state of seen) for (const after of next(state)) seen.add(after)
      return seen
    }
    expect([...reachable(machine.start.next)].sort()).toEqual(Object.keys(machine.states).sort())
    for (const state of Object.keys(machine.table)) expect(reachable(state)).toContain(machine.final)
  })
})

const paths: Readonly<Record<Exclude<NegotiationState, 'terminated'>, readonly NegotiationInput[]>> = {
  stable: [],
  'local-offer': ['send'],
  'remote-offer': ['receive'],
}

describe('Negotiation', () => {
  it('does in every state what its table says', () => {
    for (const [state, path] of Object.entries(paths) as [keyof typeof paths, readonly NegotiationInput[]][]) {
      for (const input of Object.keys(negotiationDefinition.inputs) as NegotiationInput[]) {
        const negotiation = new Negotiation()
        for (const each of path) negotiation.handle(each)
        const decision = negotiationDefinition.table[state][input]
        const verdict = negotiation.handle(input)
        if (typeof decision === 'string') expect([negotiation.state, verdict]).toEqual([state, 'none'])
        else expect([negotiation.state, verdict]).toEqual([decision.next, decision.run[0]])
      }
    }
  })

  it('RFC 3264 §4: offer and answer alternate, whoever begins', () => {
    const local = new Negotiation()
    expect([local.handle('send'), local.handle('receive'), local.state]).toEqual(['offer', 'answer', 'stable'])
    expect([local.handle('receive'), local.handle('send'), local.state]).toEqual(['offer', 'answer', 'stable'])
  })

  it('RFC 3311 §5.2: a second offer is glare or pending, and a failure abandons the first', () => {
    const negotiation = new Negotiation()
    negotiation.handle('send')
    expect(negotiation.handle('send')).toBe('glare')
    negotiation.handle('abandon')
    negotiation.handle('receive')
    expect(negotiation.handle('receive')).toBe('pending')
  })

  it('RFC 3261 §13.2.1: after the answer in a reliable response, those of later responses are copies', () => {
    const asking = new Negotiation()
    expect(asking.invite('send', true)).toBe('offer')
    expect([asking.response('receive'), asking.state]).toEqual(['answer', 'stable'])
    expect([asking.response('receive'), asking.state]).toEqual(['none', 'stable'])
    expect(asking.handle('send')).toBe('offer')
    expect(asking.response('receive')).toBe('none')
    expect(asking.state).toBe('local-offer')
  })

  it('RFC 3262 §5: a late offer in a reliable response is answered in the PRACK', () => {
    const answering = new Negotiation()
    expect(answering.invite('receive', false)).toBe('none')
    expect(answering.response('send')).toBe('offer')
    expect([answering.handle('receive'), answering.state]).toEqual(['answer', 'stable'])
    expect(answering.response('send')).toBe('none')
    expect(answering.invite('receive', true)).toBe('offer')
    expect(answering.response('send')).toBe('answer')
  })
})
