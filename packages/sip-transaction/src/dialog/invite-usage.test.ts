import { describe, expect, it } from 'vitest'
import { OutgoingInviteMachine, outgoingInviteDefinition } from '../ua/outgoing-invite'
import { endsDialog, InviteUsage, inviteUsageDefinition, type UsageInput, type UsageState } from './invite-usage'

/** How each state is reached from the start. */
const paths: Readonly<Record<Exclude<UsageState, 'terminated'>, readonly UsageInput[]>> = {
  early: [],
  'awaiting-ack': ['send-2xx'],
  leaving: ['send-2xx', 'send-bye'],
  'owing-ack': ['receive-2xx'],
  confirmed: ['receive-2xx', 'send-ack'],
  reinviting: ['receive-2xx', 'send-ack', 'send-reinvite'],
  reinvited: ['receive-2xx', 'send-ack', 'receive-reinvite'],
  ended: ['receive-2xx', 'send-ack', 'receive-bye'],
}

function usageIn(state: Exclude<UsageState, 'terminated'>): InviteUsage {
  const usage = new InviteUsage()
  for (const input of paths[state]) usage.handle(input)
  expect(usage.state).toBe(state)
  return usage
}

const states = Object.keys(paths) as Exclude<UsageState, 'terminated'>[]
const inputs = Object.keys(inviteUsageDefinition.inputs) as UsageInput[]

describe('InviteUsage', () => {
  it('decides every pair of state and input, and reaches every state', () => {
    for (const state of states) {
      for (const input of inputs) {
        const usage = usageIn(state)
        const decision = inviteUsageDefinition.table[state][input]
        expect(decision, `${state} ${input}`).toBeDefined()
        const action = usage.handle(input)
        if (typeof decision === 'string') expect([usage.state, action]).toEqual([state, 'ignore'])
        else expect([usage.state, action]).toEqual([decision.next, decision.run[0]])
      }
    }
  })

  it('RFC 3261 §15: whatever came before, a BYE of the peer is answered and ends the call', () => {
    for (const state of states) {
      const usage = usageIn(state)
      expect(usage.handle('receive-bye')).toMatch(/^answer-bye/)
      expect(usage.isAlive).toBe(false)
    }
  })

  it('RFC 3261 §15: hanging up ends every state but the early one, and never before the ACK', () => {
    for (const state of states) {
      const usage = usageIn(state)
      const action = usage.handle('send-bye')
      if (state === 'early') expect(action).toBe('refuse-local')
      else if (state === 'awaiting-ack' || state === 'leaving') {
        expect(['defer-bye', 'ignore']).toContain(action)
        expect(usage.handle('receive-ack')).toBe('bye')
      } else if (state !== 'ended') expect(action).toMatch(/bye$/)
    }
  })

  it('RFC 3261 §14: no state lets two INVITEs run at once', () => {
    for (const state of states) {
      if (state !== 'confirmed') expect(usageIn(state).handle('send-reinvite')).toBe('refuse-local')
      const action = usageIn(state).handle('receive-reinvite')
      if (state === 'confirmed') expect(action).toBe('proceed')
      else expect(action).toMatch(/^refuse-/)
    }
    expect(usageIn('reinviting').handle('receive-reinvite')).toBe('refuse-glare')
    expect(usageIn('reinvited').handle('receive-reinvite')).toBe('refuse-busy')
  })

  it('terminated takes nothing more', () => {
    const usage = usageIn('confirmed')
    usage.handle('close')
    for (const input of inputs) expect(usage.handle(input)).toBe('ignore')
    expect(usage.state).toBe('terminated')
  })
})

describe('endsDialog', () => {
  it('RFC 5057 §5.1: 481 and 408 end the dialog whatever was asked, others only for the INVITE usage', () => {
    for (const method of ['INVITE', 'UPDATE', 'INFO', 'REFER']) {
      expect([endsDialog(method, 481), endsDialog(method, 408)]).toEqual([true, true])
      expect([endsDialog(method, 200), endsDialog(method, 491), endsDialog(method, 500)]).toEqual([false, false, false])
    }
    expect([endsDialog('INVITE', 404), endsDialog('UPDATE', 410), endsDialog('INFO', 404)]).toEqual([true, true, false])
  })
})

describe('OutgoingInviteMachine', () => {
  it('decides every pair of state and input', () => {
    for (const row of Object.values(outgoingInviteDefinition.table)) {
      for (const input of Object.keys(outgoingInviteDefinition.inputs)) expect(row).toHaveProperty(input)
    }
  })

  it('RFC 3261 §9.1 and §15: reports one outcome only, and ends every 2xx that comes after it', () => {
    const inputsHere = Object.keys(outgoingInviteDefinition.inputs) as Parameters<OutgoingInviteMachine['handle']>[0][]
    const outcomes = new Set(['report-answer', 'report-failure', 'report-error', 'send-cancel'])
    const walk = (path: typeof inputsHere) => {
      const machine = new OutgoingInviteMachine()
      let decided = 0
      for (const input of path) {
        const action = machine.handle(input)
        if (outcomes.has(action)) decided += 1
        else if (input === 'success' && decided > 0 && action !== 'ignore') expect(action).toBe('end-dialog')
      }
      expect(decided, path.join(' ')).toBeLessThanOrEqual(1)
      if (path.length < 5) for (const input of inputsHere) walk([...path, input])
    }
    walk([])
  })
})
