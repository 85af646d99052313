// Runs the cases of a client program one after the other and prints which passed, as one line of JSON.

export async function report(cases) {
  const passed = [];
  for (const [name, check] of Object.entries(cases)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`failed: ${name}`, { cause: error });
    }
    passed.push(name);
  }
  console.log(JSON.stringify({ passed }));
}
