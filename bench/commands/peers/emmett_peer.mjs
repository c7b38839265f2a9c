// The bench's work done with Emmett and its EventStoreDB store.
//
// Run as `emmett_peer.mjs URI CALLERS`. Says its versions as a line of JSON; then reads lines `deposits SECONDS` or
// `orders SECONDS`, says `ready`, and answers each with what it did, until its input ends.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { CommandHandler } from "@event-driven-io/emmett";
import { getEventStoreDBEventStore } from "@event-driven-io/emmett-esdb";
import { EventStoreDBClient } from "@eventstore/db-client";

const PACKAGES = ["@event-driven-io/emmett", "@event-driven-io/emmett-esdb", "@eventstore/db-client"];
const CENTS = 1000;
const LINES = ["lamp", "chair"].map((sku, index) => ({
  line: index + 1,
  sku,
  quantity: 2,
  unit_price: { amount: "12.50", currency: "EUR" },
}));

const evolve = (state, { type, data }) => {
  switch (type) {
    case "AccountOpened":
      return { currency: data.currency, cents: 0 };
    case "MoneyDeposited":
      return { ...state, cents: state.cents + CENTS };
    case "OrderCreated":
      return { lines: data.lines };
    default:
      throw new Error(`there is no ${type}`);
  }
};
const handle = CommandHandler({ evolve, initialState: () => null });

const [uri, callers] = process.argv.slice(2);
const client = EventStoreDBClient.connectionString(uri);
const store = getEventStoreDBEventStore(client);

const open = (id) => () => ({
  type: "AccountOpened",
  data: { account_id: id, owner_id: "bench", currency: "EUR", credit_limit: { amount: "0.00", currency: "EUR" } },
});

const deposit = (id) => (account) => {
  if (account === null) throw new Error(`there is no account ${id}`);
  return { type: "MoneyDeposited", data: { account_id: id, amount: { amount: "10.00", currency: account.currency } } };
};

const create = (id) => (order) => {
  if (order !== null) throw new Error(`there is an order ${id} already`);
  const data = { order_id: id, customer_id: "bench", account_id: randomUUID(), currency: "EUR", lines: LINES };
  return { type: "OrderCreated", data };
};

// What one caller does again and again.
const workOf = async (kind) => {
  if (kind === "orders") {
    return () => {
      const id = randomUUID();
      return handle(store, `order-${id}`, create(id));
    };
  }
  const id = randomUUID();
  await handle(store, `account-${id}`, open(id));
  return () => handle(store, `account-${id}`, deposit(id));
};

// Each caller sends its next command when the last one was answered, until the time is up.
const measured = async (works, seconds) => {
  const cpu = process.cpuUsage();
  const began = performance.now();
  let count = 0;
  const repeat = async (work) => {
    while (performance.now() - began < seconds * 1000) {
      await work();
      count += 1;
    }
  };
  await Promise.all(works.map(repeat));
  const { user, system } = process.cpuUsage(cpu);
  return { count, seconds: (performance.now() - began) / 1000, cpu_seconds: (user + system) / 1e6 };
};

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const say = (what) => console.log(JSON.stringify(what));

const versions = PACKAGES.map((name) => [name, versionOf(name)]);
say({ versions: Object.fromEntries([...versions, ["node", process.versions.node]]) });
for await (const line of createInterface({ input: process.stdin })) {
  const [kind, seconds] = line.split(" ");
  const works = await Promise.all(Array.from({ length: Number(callers) }, () => workOf(kind)));
  say({ ready: kind });
  say(await measured(works, Number(seconds)));
}
await client.dispose();
