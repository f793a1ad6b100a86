/** Draws a machine as a Markdown page: a Mermaid state diagram and the full table, one row for each (state, input). */
import type { Decision, MachineDefinition } from './definition'

/** The Markdown page of a machine, ending with a line feed. */
export function drawMachine(machine: MachineDefinition<string, string, string>): string {
  return [
    `# ${machine.title}`,
    '',
    'Generated from the table in the source; a test compares the two.',
    '',
    machine.source,
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...arrows(machine).map((line) => `  ${line}`),
    '```',
    '',
    ...glossary('State', machine.states),
    ...glossary('Input', machine.inputs),
    ...glossary('Action', machine.actions),
    '## Every pair',
    '',
    `At the start: ${machine.start.run.map(code).join(', ')}, then ${code(machine.start.next)}. ` +
      '"Ignored" changes nothing; "impossible" cannot come, and ends the machine if it does.',
    '',
    '| State | Input | Actions | Next state |',
    '|---|---|---|---|',
    ...rows(machine),
    '',
  ].join('\n')
}

function arrows(machine: MachineDefinition<string, string, string>): string[] {
  const labels = new Map<string, string[]>()
  forEachPair(machine, (state, input, decision) => {
    if (typeof decision === 'string') return
    const arrow = `${mermaidId(state)} --> ${mermaidId(decision.next)}`
    labels.set(arrow, [...(labels.get(arrow) ?? []), input])
  })
  const lines = [`[*] --> ${mermaidId(machine.start.next)}`]
  for (const [arrow, inputs] of labels) lines.push(`${arrow}: ${inputs.join(', ')}`)
  lines.push(`${mermaidId(machine.final)} --> [*]`)
  return lines
}

function rows(machine: MachineDefinition<string, string, string>): string[] {
  const lines: string[] = []
  forEachPair(machine, (state, input, decision) => {
    const [actions, next] =
      decision === 'ignore'
        ? ['ignored', '']
        : decision === 'impossible'
          ? ['impossible', '']
          : [decision.run.map(code).join(', ') || '—', decision.next === state ? '(same)' : code(decision.next)]
    lines.push(`| ${code(state)} | ${code(input)} | ${actions} | ${next} |`)
  })
  return lines
}

function glossary(heading: string, words: Readonly<Record<string, string>>): string[] {
  return [
    `| ${heading} | Meaning |`,
    '|---|---|',
    ...Object.entries(words).map(([word, meaning]) => `| ${code(word)} | ${meaning} |`),
    '',
  ]
}

/** Visits every cell in the order of the states and the inputs. */
function forEachPair(
  machine: MachineDefinition<string, string, string>,
  visit: (state: string, input: string, decision: Decision<string, string>) => void,
): void {
  const table: Readonly<Record<string, Readonly<Record<string, Decision<string, string>>>>> = machine.table
  for (const state of Object.keys(machine.states)) {
    for (const input of Object.keys(machine.inputs)) {
      const decision = table[state]?.[input]
      if (decision !== undefined) visit(state, input, decision)
    }
  }
}

function code(word: string): string {
  return `\`${word}\``
}

/** Mermaid takes no hyphen in a state's name. */
function mermaidId(state: string): string {
  return state.replaceAll('-', '_')
}
