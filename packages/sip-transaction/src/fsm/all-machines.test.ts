/** Every machine of this package: its table is whole, and its page in docs/fsm is what the table says. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { inviteUsageDefinition } from '../dialog/invite-usage'
import { negotiationDefinition } from '../dialog/negotiation'
import { reliableClientDefinition, reliableServerDefinition } from '../dialog/reliable-provisional'
import { sessionTimerDefinition } from '../dialog/session-timer'
import { subscriberDefinition } from '../dialog/subscribe-usage'
import { notifierDefinition } from '../dialog/subscribe-usage-notifier'
import { proxyBranchDefinition } from '../proxy/branch-machine'
import { proxyContextDefinition } from '../proxy/context-machine'
import { transactionMachines } from '../transaction/machines'
import { outgoingInviteDefinition } from '../ua/outgoing-invite'
import { registrationDefinition } from '../ua/registration'
import type { Decision, MachineDefinition } from './definition'
import { drawMachine } from './draw'

type AnyMachine = MachineDefinition<string, string, string>
type AnyTable = Readonly<Record<string, Readonly<Record<string, Decision<string, string>>>>>

const folder = fileURLToPath(new URL('../../../../docs/fsm/', import.meta.url))
const machines: readonly AnyMachine[] = [
  ...Object.values(transactionMachines).map(({ definition }): AnyMachine => definition),
  inviteUsageDefinition,
  outgoingInviteDefinition,
  negotiationDefinition,
  reliableServerDefinition,
  reliableClientDefinition,
  sessionTimerDefinition,
  subscriberDefinition,
  notifierDefinition,
  registrationDefinition,
  proxyBranchDefinition,
  proxyContextDefinition,
]

/** The states that one step leads to. */
function next(table: AnyTable, state: string): string[] {
  return Object.values(table[state] ?? {}).flatMap((cell) => (typeof cell === 'string' ? [] : [cell.next]))
}

function reachable(table: AnyTable, from: string): Set<string> {
  const seen = new Set([from])
  for (const state of seen) for (const after of next(table, state)) seen.add(after)
  return seen
}

describe('docs/fsm', () => {
  it.each(machines)('$name.md is what the table says (CARILLON_WRITE=1 writes it)', (machine) => {
    const path = `${folder}${machine.name}.md`
    const page = drawMachine(machine)
    if (process.env.CARILLON_WRITE === '1') writeFileSync(path, page)
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(page)
  })

  it('has a page for each machine, in its list too, and for no other', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md')
    expect(pages.sort()).toEqual(machines.map(({ name }) => `${name}.md`).sort())
    const list = readFileSync(`${folder}README.md`, 'utf8')
    for (const page of pages) expect(list).toContain(`(${page})`)
  })
})

describe('every machine', () => {
  it.each(machines)(
    '$name decides every pair, with states and actions that it explains, and uses all of them',
    (machine) => {
      const table: AnyTable = machine.table
      const states = Object.keys(machine.states).filter((state) => state !== machine.final)
      expect(Object.keys(table).sort()).toEqual(states.sort())
      const used = new Set<string>(machine.start.run)
      for (const [state, row] of Object.entries(table)) {
        expect(Object.keys(row).sort(), state).toEqual(Object.keys(machine.inputs).sort())
        for (const cell of Object.values(row)) {
          if (typeof cell === 'string') continue
          expect(Object.keys(machine.states)).toContain(cell.next)
          for (const action of cell.run) used.add(action)
        }
      }
      expect([...used].sort()).toEqual(Object.keys(machine.actions).sort())
    },
  )

  it.each(machines)('$name reaches every state, and ends from each of them', (machine) => {
    const table: AnyTable = machine.table
    expect([...reachable(table, machine.start.next)].sort()).toEqual(Object.keys(machine.states).sort())
    for (const state of Object.keys(table)) expect(reachable(table, state)).toContain(machine.final)
  })

  it.each(Object.keys(transactionMachines))('%s: every input does something in some state', (kind) => {
    const { definition } = transactionMachines[kind as keyof typeof transactionMachines]
    const rows = Object.values<Readonly<Record<string, unknown>>>(definition.table)
    for (const input of Object.keys(definition.inputs))
      expect(
        rows.some((row) => typeof row[input] !== 'string'),
        input,
      ).toBe(true)
  })
})
