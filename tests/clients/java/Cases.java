import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;

/** Named checks. They run one after the other; the names of those that passed are printed as one line of JSON. */
final class Cases {
    interface Check {
        void run() throws Exception;
    }

    private final Map<String, Check> checks = new LinkedHashMap<>();

    void add(String name, Check check) {
        checks.put(name, check);
    }

    void run() throws Exception {
        StringJoiner passed = new StringJoiner("\", \"", "{\"passed\": [\"", "\"]}");
        for (Map.Entry<String, Check> entry : checks.entrySet()) {
            try {
                entry.getValue().run();
            } catch (Exception | AssertionError problem) {
                throw new AssertionError("failed: " + entry.getKey(), problem);
            }
            passed.add(entry.getKey());
        }
        System.out.println(passed);
    }

    static void equal(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    static void yes(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError("not so: " + what);
        }
    }

    /** The error of the wanted class that the call ends with. */
    static <E extends Exception> E fails(Class<E> wanted, Check call) throws Exception {
        try {
            call.run();
        } catch (Exception problem) {
            if (wanted.isInstance(problem)) {
                return wanted.cast(problem);
            }
            throw problem;
        }
        throw new AssertionError("no " + wanted.getSimpleName());
    }
}
