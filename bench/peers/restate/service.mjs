// A service whose handler runs as many durable steps as it is told, each of which does nothing.
//   node service.mjs PORT
import * as restate from "@restatedev/restate-sdk";

const steps = restate.service({
  name: "steps",
  handlers: {
    run: async (ctx, count) => {
      for (let i = 0; i < count; i++) await ctx.run(() => null);
      return null;
    },
  },
});

await restate.endpoint().bind(steps).listen(Number(process.argv[2]));
console.log("listening");
