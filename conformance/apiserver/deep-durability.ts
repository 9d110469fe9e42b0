// Hundreds of kills and full disks. `node conformance/apiserver/deep-durability.ts [rounds] [seed]`
import { runDurability } from './durability.ts';

const [rounds = '300', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
console.log(`${rounds} rounds from seed ${seed} …`);
const { acknowledged, refused, seen } = await runDurability(Number(rounds), Number(seed));
console.log(
  `${rounds} kills: ${acknowledged} acknowledged writes and ${seen} events, none lost; ${refused} writes refused on a full disk`,
);
