import { describe, expect, it } from 'vitest'
import { ignore, impossible, type MachineDefinition, step } from './definition'
import { drawMachine } from './draw'
import { compileMachine } from './machine'

type State = 'shut' | 'open' | 'terminated'
type Input = 'push' | 'pull' | 'timer'
type Action = 'creak' | 'close-now' | 'vanish'

const door: MachineDefinition<State, Input, Action> = {
  name: 'door',
  title: 'Door',
  source: 'Carpentry.',
  states: { shut: 'Is shut.', open: 'Is open.', terminated: 'Gone.' },
  inputs: { push: 'Somebody pushes.', pull: 'Somebody pulls.', timer: 'The closer closes.' },
  actions: { creak: 'Creak.', 'close-now': 'Start a closer of no length.', vanish: 'Vanish.' },
  start: step('shut', 'creak'),
  final: 'terminated',
  table: {
    shut: { push: step('open', 'creak'), pull: ignore, timer: impossible },
    open: { push: step('open', 'creak', 'close-now'), pull: step('shut'), timer: step('terminated', 'vanish') },
  },
}

interface Door {
  state: string
  pendingInput: string | undefined
}

const machine = compileMachine<State, Input, Action, Door, string[]>(door, {
  creak: (subject, log) => log.push(`creak in ${subject.state}`),
  'close-now': (subject) => {
    subject.pendingInput = 'timer'
  },
  vanish: (_subject, log) => log.push('gone'),
})

describe('Machine', () => {
  it('sets the state first and then carries out the actions in order', () => {
    const log: string[] = []
    const subject: Door = { state: 'new', pendingInput: undefined }
    machine.start(subject, log)
    expect(machine.handle(subject, 'pull', log)).toBe('ignored')
    expect(machine.handle(subject, 'timer', log)).toBe('impossible')
    expect(machine.handle(subject, 'push', log)).toBe('stepped')
    expect(subject.state).toBe('open')
    expect(log).toEqual(['creak in shut', 'creak in open'])
  })

  it('handles an input that an action asks for within the same step, and nothing in the final state', () => {
    const log: string[] = []
    const subject: Door = { state: 'open', pendingInput: undefined }
    expect(machine.handle(subject, 'push', log)).toBe('stepped')
    expect(subject).toEqual({ state: 'terminated', pendingInput: undefined })
    expect(log).toEqual(['creak in open', 'gone'])
    expect(machine.handle(subject, 'push', log)).toBe('ignored')
    expect(machine.handle({ state: 'nowhere', pendingInput: undefined }, 'push', log)).toBe('impossible')
  })
})

describe('drawMachine', () => {
  it('draws one arrow for each pair of states and one row for each pair of state and input', () => {
    const page = drawMachine(door)
    expect(page).toContain('  [*] --> shut\n  shut --> open: push\n  open --> open: push\n')
    expect(page).toContain('| `open` | `timer` | `vanish` | `terminated` |')
    expect(page).toContain('| `shut` | `pull` | ignored |  |')
    expect(page).toContain('| `shut` | `timer` | impossible |  |')
    expect(page.match(/^\| `(shut|open)` \| `/gm)).toHaveLength(6)
    expect(page.endsWith('|\n')).toBe(true)
  })
})
