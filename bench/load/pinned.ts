/**
 * Processes pinned to a core, and the CPU time that a process and its children have used, from /proc.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const running = new Set<ChildProcess>()
// USER_HZ, in which /proc counts; it is 100 on every Linux that Node runs on.
const ticksPerSecond = 100

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A process that runs on one core. */
export interface Pinned {
  readonly pid: number
  readonly exited: Promise<number | null>
  /** Everything it has written, the last part if it is long. */
  output(): string
  /** Resolves when the output matches; rejects when it ends first or the time is over. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<void>
  stop(): Promise<void>
}

/** Starts a command on a core (0, 1 …). */
export function startPinned(
  core: number,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Pinned {
  const withTaskset = isOnPath('taskset')
  const child = spawn(withTaskset ? 'taskset' : command, withTaskset ? ['-c', String(core), command, ...args] : args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  running.add(child)
  let text = ''
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString('latin1')).slice(-100_000)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const exited = new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      text += error.message
      running.delete(child)
      resolve(null)
    })
    child.on('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  return {
    pid: child.pid ?? 0,
    exited,
    output: () => text,
    waitFor: async (pattern, timeoutMs) => {
      const until = performance.now() + timeoutMs
      while (!pattern.test(text)) {
        if (performance.now() > until || !running.has(child))
          throw new Error(`${command} did not start:\n${text.slice(-2000)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    stop: async () => {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await exited
      clearTimeout(timer)
    },
  }
}

/** CPU time in microseconds used so far by a process and all its living descendants, user and system. */
export function cpuMicroseconds(pid: number): number {
  let total = 0
  for (const member of [pid, ...descendants(pid)]) total += ownTicks(member)
  return (total * 1_000_000) / ticksPerSecond
}

/** True when a command can be started by name. */
export function isOnPath(command: string): boolean {
  return `${process.env.PATH ?? ''}:/usr/sbin`
    .split(':')
    .some((folder) => folder !== '' && existsSync(`${folder}/${command}`))
}

function ownTicks(pid: number): number {
  const fields = statFields(pid)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

function descendants(pid: number): number[] {
  const parents = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const child = Number(name)
    if (!Number.isInteger(child)) continue
    const parent = Number(statFields(child)[1] ?? 0)
    parents.set(parent, [...(parents.get(parent) ?? []), child])
  }
  const found: number[] = []
  for (const pending = [pid]; pending.length > 0; ) {
    const children = parents.get(pending.pop() ?? 0) ?? []
    found.push(...children)
    pending.push(...children)
  }
  return found
}

/** The fields of /proc/PID/stat from the third (state) on; the second may hold spaces. */
function statFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
