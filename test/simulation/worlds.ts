/** The worlds that the simulation knows, behind one face. */
import { BridgeWorld } from './bridge-world.ts'
import { CallWorld } from './call-world.ts'
import { ConnectionWorld } from './connection-world.ts'
import { EventWorld } from './event-world.ts'
import { ProxyWorld } from './proxy-world.ts'
import { RegistrarWorld } from './registrar-world.ts'
import { ServerWorld } from './server-world.ts'
import { TransactionWorld } from './transaction-world.ts'

/** What came of one world. */
export interface WorldReport {
  readonly violations: readonly string[]
  /** What was sent, the beginning of it. */
  readonly ladder: readonly string[]
  readonly sent: number
}

const transactionOperations = 40
const callOperations = 30
const proxyOperations = 25
const registrarOperations = 30
const eventOperations = 30
const serverOperations = 20
const connectionOperations = 40

/** Worlds by name; each runs one seed to its end. */
export const worlds: Readonly<Record<string, (seed: number) => Promise<WorldReport>>> = {
  transactions: (seed) => run(new TransactionWorld(seed), transactionOperations),
  calls: (seed) => run(new CallWorld(seed), callOperations),
  bridge: (seed) => run(new BridgeWorld(seed), callOperations),
  connections: (seed) => run(new ConnectionWorld(seed), connectionOperations),
  registrar: (seed) => run(new RegistrarWorld(seed), registrarOperations),
  servers: (seed) => run(new ServerWorld(seed), serverOperations),
  events: (seed) => run(new EventWorld(seed), eventOperations),
  proxy: (seed) => run(new ProxyWorld(seed), proxyOperations),
}

async function run<W extends WorldReport & { run(operations: number): Promise<void> }>(
  world: W,
  operations: number,
): Promise<W> {
  await world.run(operations)
  return world
}
