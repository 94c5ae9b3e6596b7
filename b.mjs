import { rolldown } from 'rolldown';
const b = await rolldown({ input: 'm2.mjs', platform:'node', external:[/@nestjs\/(microservices|websockets|platform)/, 'class-transformer','class-validator',/@photostructure/, 'node:sqlite', '@nestjs/schedule', '@grpc/grpc-js'] });
await b.write({ file: 'bundle.mjs', format:'esm', codeSplitting:false });
